// Show what happens while a server starts, and go on when it is ready.
(function () {
  "use strict";
  var source = new EventSource(document.currentScript.dataset.progress);
  var bar = document.getElementById("lectern-progress");
  var step = document.getElementById("lectern-step");
  var failure = document.getElementById("lectern-failure");

  source.onmessage = function (event) {
    var news = JSON.parse(event.data);
    if (news.ready) {
      source.close();
      window.location.reload();
      return;
    }
    if (news.failed) {
      source.close();
      bar.hidden = true;
      step.hidden = true;
      failure.hidden = false;
      failure.textContent = news.message.replace(/^Spawn failed: /, "");
      document.getElementById("lectern-again").hidden = false;
      return;
    }
    if (news.progress) {
      bar.value = news.progress;
    }
    if (news.message) {
      step.textContent = news.message;
    }
  };
})();
