---@brief
---
--- Charter reviews Python: security, maintainability and performance, with proved fixes.
---
--- Install it with `pipx install charter-lint` (or into the project's environment) and enable it with
--- `vim.lsp.enable("charter")`. `:checkhealth charter` tells what is missing.
---
--- Settings go into `settings.charter`; all are optional:
---   codeLens = true            scores and complexity above functions (shown once the config refreshes lenses)
---   inlayHints = false         the exceptions that a function raises
---   index = true               read the whole workspace in the background
---   select / ignore = {}       rules, codes, principles or pillars, instead of / besides the project's settings
return {
  cmd = { "charter", "lsp" },
  filetypes = { "python" },
  root_markers = { "charter.toml", "pyproject.toml", "setup.py", "setup.cfg", ".git" },
  settings = { charter = {} },
}
