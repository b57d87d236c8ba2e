-- Headless Neovim against the real server. Whole lines are compared: an edit that is one column short must fail.
local failed = 0

local function check(name, ok, seen)
  io.stdout:write(("%s %s%s\n"):format(ok and "ok  " or "FAIL", name, ok and "" or ": " .. vim.inspect(seen)))
  failed = failed + (ok and 0 or 1)
end

local function eventually(predicate)
  return vim.wait(20000, predicate, 20)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function found(code)
  return vim.tbl_filter(function(one)
    return one.code == code
  end, vim.diagnostic.get(0))
end

local function run()
  check("a finding appears", eventually(function()
    return #found("singleton-comparison") == 1
  end), vim.diagnostic.get(0))
  local one = found("singleton-comparison")[1]
  check("its columns are right behind emoji", one and one.lnum == 3 and one.col == 27, one)

  vim.api.nvim_win_set_cursor(0, { 4, 29 })
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title:find("^Compare with") ~= nil
    end,
  })
  check("the fix changes just what it should", eventually(function()
    return lines()[4] == '    s = "😀😀"; return a is None'
  end), lines()[4])
  check("the finding goes", eventually(function()
    return #found("singleton-comparison") == 0
  end), found("singleton-comparison"))
  vim.cmd.undo()
  check("undo takes one step", lines()[4] == '    s = "😀😀"; return a == None', lines()[4])
  check("the finding is back", eventually(function()
    return #found("singleton-comparison") == 1
  end), vim.diagnostic.get(0))

  vim.api.nvim_buf_set_lines(0, 0, 0, false, { "def broken(" })
  check("broken code keeps the others", eventually(function()
    return #found("syntax-error") == 1 and #found("singleton-comparison") == 1 and found("singleton-comparison")[1].lnum == 4
  end), vim.diagnostic.get(0))
  vim.cmd.undo()
  check("the error goes", eventually(function()
    return #found("syntax-error") == 0
  end), vim.diagnostic.get(0))

  local client = vim.lsp.get_clients({ name = "charter" })[1]
  local here = vim.lsp.util.make_position_params(0, client.offset_encoding)
  here.position = { line = 3, character = 29 }
  local hover = client:request_sync("textDocument/hover", here, 20000, 0)
  check("the hover explains", hover and hover.result and hover.result.contents.value:find("identity is meant") ~= nil, hover)

  vim.lsp.codelens.refresh({ bufnr = 0 })
  check("lenses show scores", eventually(function()
    local lenses = vim.lsp.codelens.get(0)
    return #lenses > 1 and lenses[1].command.title:find("Charter") ~= nil
  end), vim.lsp.codelens.get(0))

  client:notify("workspace/didChangeConfiguration", { settings = { charter = { inlayHints = true } } })
  vim.lsp.inlay_hint.enable(true)
  check("hints show exceptions", eventually(function()
    local hints = vim.lsp.inlay_hint.get({ bufnr = 0 })
    return #hints == 1 and hints[1].inlay_hint.label == "raises ValueError"
  end), vim.lsp.inlay_hint.get({ bufnr = 0 }))

  local before = table.concat(lines(), "\n")
  local changed = require("charter").fix(0, 20000)
  check("fix on save changes what is safe, in one step", changed == (table.concat(lines(), "\n") ~= before), changed)
  if changed then
    vim.cmd.undo()
    check("and undo takes one step", table.concat(lines(), "\n") == before, lines())
  end

  vim.cmd("checkhealth charter")
  local health = table.concat(lines(), "\n")
  check("the health check is content", health:find("The server runs for") ~= nil and not health:find("ERROR"), health)
  client:stop()
  check("the server leaves", eventually(function()
    return #vim.lsp.get_clients({ name = "charter" }) == 0
  end))
end

local ok, trouble = xpcall(run, debug.traceback)
check("nothing was thrown", ok, trouble)
vim.cmd(failed == 0 and "qall!" or "cquit!")
