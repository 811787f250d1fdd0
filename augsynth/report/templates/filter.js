const filter = document.querySelector(".filter");
if (filter) {
  filter.hidden = false;
  filter.querySelector("select").addEventListener("change", event => {
    for (const part of document.querySelectorAll("[data-class]"))
      part.hidden = event.target.value !== "" && part.dataset.class !== event.target.value;
  });
}
