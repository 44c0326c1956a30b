"use strict";
(function () {
  var list = document.getElementById("list"), fields = document.getElementById("scripted"), table = document.getElementById("keys");
  function all(selector, of) { return Array.prototype.slice.call((of || document).querySelectorAll(selector)); }

  // Commands are copied by a button; in the cards, which are many, by a click on them.
  function copy(code, say) {
    function done() { say("copied"); setTimeout(function () { say("copy"); }, 1500); }
    function select() { getSelection().selectAllChildren(code); say("press Ctrl+C"); }
    if (!navigator.clipboard) { select(); return; }
    navigator.clipboard.writeText(code.textContent).then(done, select);
  }
  all(".groups .cmd").forEach(function (code) {
    var button = document.createElement("button");
    button.type = "button"; button.className = "copy"; button.textContent = "copy";
    button.addEventListener("click", function () { copy(code, function (word) { button.textContent = word; }); });
    code.parentNode.appendChild(button);
  });
  document.addEventListener("click", function (e) {
    var code = e.target;
    if (code.classList && code.classList.contains("cmd") && !code.closest(".groups") && getSelection().isCollapsed) {
      copy(code, function (word) { code.title = word; });
    }
  });

  // The table is sorted by the buttons in its head.
  if (table) {
    var body = table.tBodies[0];
    all("thead th", table).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button"; button.textContent = head.textContent;
      head.textContent = ""; head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending" || (column === 0 || column === 8) && !head.hasAttribute("aria-sort");
        all("thead th", table).forEach(function (h) { h.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var rows = all("tr", body).map(function (row) {
          var cell = row.cells[column], v = cell.dataset.v || cell.textContent;
          return { row: row, v: column === 0 || column === 8 ? Number(v) : v };
        });
        rows.sort(function (a, b) { return (a.v < b.v ? -1 : a.v > b.v ? 1 : 0) * (down ? -1 : 1); });
        var sorted = document.createDocumentFragment();
        rows.forEach(function (r) { sorted.appendChild(r.row); });
        body.appendChild(sorted);
      });
    });
  }

  if (!fields) { return; }
  var items = all(".cards .item"), rows = table ? all("tr.item", table) : [];
  var rule = document.getElementById("rule"), text = document.getElementById("text"), shown = document.getElementById("shown");
  var words = null, rowWords = null, timer = 0;
  fields.hidden = false;
  function read(list) { return list.map(function (i) { return i.textContent.toLowerCase(); }); }
  function filter(list, words, r, t) {
    return list.filter(function (item, i) {
      var ok = (!r || (" " + item.dataset.rules + " ").indexOf(" " + r + " ") >= 0) && (!t || words[i].indexOf(t) >= 0);
      if (item.hidden === ok) { item.hidden = !ok; }
      return ok;
    });
  }
  function apply() {
    var r = rule.value, t = text.value.trim().toLowerCase();
    if (t && !words) { words = read(items); rowWords = read(rows); }
    filter(rows, rowWords, r, t);
    var n = filter(items, words, r, t).filter(function (item) {
      var box = document.getElementById("show-" + item.classList[1]);
      return !box || box.checked;
    }).length;
    shown.textContent = n + " of " + items.length + " shown";
  }
  list.addEventListener("change", apply);
  list.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(apply, 120); });
  apply();
})();
