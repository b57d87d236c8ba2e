local M = {}

--- Looks whether the server can run and whether it does.
function M.check()
  local health = vim.health
  health.start("charter")
  if vim.fn.has("nvim-0.11") == 0 then
    health.error("Neovim 0.11 or newer is needed", { "Set the server up with nvim-lspconfig instead" })
    return
  end
  local config = vim.lsp.config.charter
  if not config then
    health.error("`lsp/charter.lua` is not on the runtimepath", { "Add the folder `editors/neovim` to it" })
    return
  end
  local command = config.cmd[1]
  if vim.fn.executable(command) == 0 then
    health.error(("`%s` cannot be run"):format(command), {
      "Install it: `pipx install charter-lint`",
      'Or name it: `vim.lsp.config("charter", { cmd = { "/path/to/charter", "lsp" } })`',
    })
  else
    local version = vim.trim(vim.fn.system({ command, "--version" }))
    health.ok(("`%s`: %s"):format(vim.fn.exepath(command), version))
  end
  if not vim.lsp.is_enabled("charter") then
    health.warn("The server is not enabled", { 'Call `vim.lsp.enable("charter")`' })
  end
  local clients = vim.lsp.get_clients({ name = "charter" })
  if #clients == 0 then
    health.info("The server does not run yet; it starts with the first Python file")
  end
  for _, client in ipairs(clients) do
    health.ok(("The server runs for %s"):format(client.root_dir or "single files"))
  end
end

return M
