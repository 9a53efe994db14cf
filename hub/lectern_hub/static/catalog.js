// Keep the page about course files fresh: ask for its revision, fetch it anew when that grows.
(function () {
  "use strict";
  var own = document.currentScript.dataset;
  var PAUSE = 2000;

  function shown() {
    return document.getElementById("lectern-catalog");
  }

  function replace(html) {
    var fresh = new DOMParser().parseFromString(html, "text/html").getElementById("lectern-catalog");
    if (fresh) {
      shown().replaceWith(fresh);
    }
  }

  function look() {
    return fetch(own.state, { headers: { "X-XSRFToken": own.xsrf } })
      .then(function (answer) {
        return answer.ok ? answer.json() : null;
      })
      .then(function (state) {
        if (!state) {
          return null;
        }
        if (String(state.revision) === shown().dataset.revision) {
          var time = shown().querySelector("[data-looked]");
          time.dateTime = state.looked;
          time.textContent = state.looked.slice(0, 10) + " " + state.looked.slice(11, 19);
          return null;
        }
        return fetch(window.location.href)
          .then(function (page) {
            return page.ok ? page.text().then(replace) : null;
          });
      })
      .catch(function () {
        // The hub is away for a moment; it is asked again.
      });
  }

  function next() {
    window.setTimeout(function () {
      (document.hidden ? Promise.resolve() : look()).then(next);
    }, PAUSE);
  }

  next();
})();
