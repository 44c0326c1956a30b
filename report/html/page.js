"use strict";
(function () {
  var list = document.getElementById("list"), fields = document.getElementById("scripted");
  if (!fields) { return; }
  var items = Array.prototype.slice.call(document.querySelectorAll(".item"));
  var rule = document.getElementById("rule"), text = document.getElementById("text"), shown = document.getElementById("shown");
  var words = null, timer = 0;
  fields.hidden = false;
  function apply() {
    var r = rule.value, t = text.value.trim().toLowerCase(), n = 0;
    if (t && !words) { words = items.map(function (i) { return i.textContent.toLowerCase(); }); }
    items.forEach(function (item, i) {
      var ok = (!r || (" " + item.dataset.rules + " ").indexOf(" " + r + " ") >= 0) && (!t || words[i].indexOf(t) >= 0);
      if (item.hidden === ok) { item.hidden = !ok; }
      var box = document.getElementById("show-" + item.classList[1]);
      if (ok && (!box || box.checked)) { n++; }
    });
    shown.textContent = n + " of " + items.length + " shown";
  }
  list.addEventListener("change", apply);
  list.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(apply, 120); });
  apply();
})();
