local M = {}

--- Applies every fix of a buffer that is certain to keep the meaning, as one step of undo.
---@param bufnr? integer
---@param timeout? integer milliseconds
---@return boolean changed
function M.fix(bufnr, timeout)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  timeout = timeout or 2000
  local client = vim.lsp.get_clients({ bufnr = bufnr, name = "charter" })[1]
  if not client then
    return false
  end
  local line = math.max(vim.api.nvim_buf_line_count(bufnr) - 1, 0)
  local answer = client:request_sync("textDocument/codeAction", {
    textDocument = vim.lsp.util.make_text_document_params(bufnr),
    range = { start = { line = 0, character = 0 }, ["end"] = { line = line, character = 0 } },
    context = { diagnostics = {}, only = { "source.fixAll.charter" } },
  }, timeout, bufnr)
  local action = answer and answer.result and answer.result[1]
  if action and not action.edit then
    answer = client:request_sync("codeAction/resolve", action, timeout, bufnr)
    action = answer and answer.result
  end
  if not (action and action.edit) then
    return false
  end
  vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
  return true
end

return M
