-- The configuration of a user who follows `editors/neovim/doc/charter.txt`.
vim.opt.runtimepath:prepend(vim.env.CHARTER_NEOVIM)
vim.lsp.config("charter", { cmd = { vim.env.CHARTER_COMMAND, "lsp" } })
vim.lsp.enable("charter")
vim.o.swapfile = false
