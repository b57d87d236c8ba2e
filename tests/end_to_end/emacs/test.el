;;; test.el --- Emacs in batch mode with eglot against the real server  -*- lexical-binding: t -*-
(package-initialize)
(require 'eglot)
(require 'flymake)

(defvar charter-failed 0)

(defun charter-check (name ok &optional seen)
  (princ (format "%s %s%s\n" (if ok "ok  " "FAIL") name (if ok "" (format ": %S" seen))))
  (unless ok (setq charter-failed (1+ charter-failed))))

(defun charter-eventually (predicate)
  (let ((until (+ (float-time) 30)) value)
    (while (and (not (setq value (funcall predicate))) (< (float-time) until))
      (accept-process-output nil 0.05))
    value))

(defun charter-findings ()
  ;; In batch mode idle timers never fire: what they would send is sent by hand.
  (eglot--signal-textDocument/didChange)
  (flymake-start)
  (seq-filter (lambda (one) (string-match-p "identity is meant" (flymake-diagnostic-text one)))
              (flymake-diagnostics)))

(setq eglot-sync-connect t
      eglot-confirm-server-initiated-edits nil
      eglot-server-programs `((python-mode . (,(getenv "CHARTER_COMMAND") "lsp"))))

(find-file "sample.py")
(call-interactively #'eglot)
(charter-check "the server runs" (eglot-current-server))
(charter-check "a finding appears" (charter-eventually #'charter-findings) (flymake-diagnostics))
(let ((one (car (charter-findings))))
  (charter-check "its place is right behind emoji"
                 (equal (buffer-substring (flymake-diagnostic-beg one) (flymake-diagnostic-end one)) "a == None")
                 one)
  (goto-char (flymake-diagnostic-beg one))
  (let* ((actions (append (eglot-code-actions (flymake-diagnostic-beg one) (flymake-diagnostic-end one) "quickfix") nil))
         (fix (seq-find (lambda (action) (string-prefix-p "Compare with" (plist-get action :title))) actions)))
    (charter-check "a fix is offered" fix actions)
    (eglot--apply-workspace-edit (plist-get fix :edit))))
(charter-check "the fix changes just what it should"
               (string-match-p "^    s = \"😀😀\"; return a is None$" (buffer-string)) (buffer-string))
(charter-check "the finding goes" (charter-eventually (lambda () (null (charter-findings)))))
(set-buffer-modified-p nil)
(eglot-shutdown (eglot-current-server))
(kill-emacs (if (zerop charter-failed) 0 1))
;;; test.el ends here
