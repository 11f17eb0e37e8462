"use strict";
(async () => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const item = { docid: "page", roots: {}, root_ids: [] };
  Bokeh.set_log_level("warn");
  const [views] = await Bokeh.embed.embed_items({ page: content.document }, [item]);
  const page = Bokeh.documents[Bokeh.documents.length - 1];
  const plots = page.get_model_by_name("plots").tags;
  const source = page.get_model_by_name("candidates");
  const view = page.get_model_by_name("view");
  const best = page.get_model_by_name("best");
  const lines = best.filter.indices.length;
  const form = document.getElementById("filters");
  const data = source.data;
  const total = data.candidate.length;
  const Filter = Bokeh.Models.get("BooleanFilter");
  let chosen = null;

  // Filters

  const numberOf = (name) => (form.elements[name]?.value ?? "") === "" ? null : Number(form.elements[name].value);

  function tests() {
    const all = [];
    const text = form.elements.text.value.trim().toLowerCase();
    if (text) all.push((at) => data.candidate[at].toLowerCase().includes(text));
    const state = Number(form.elements.state.value);
    if (state) all.push((at) => data.state[at] >= state);
    const best = numberOf("best");
    if (best !== null) all.push((at) => at < best);
    const score = numberOf("score");
    const sign = form.dataset.minimizes === "true" ? -1 : 1;
    if (score !== null) all.push((at) => sign * data.ranking[at] >= sign * score);
    for (const { name } of form.elements) {
      const [kind, axis] = name.split("_");
      const limit = numberOf(name);
      if (limit === null || axis === undefined) continue;
      const values = data[kind === "level" ? `level_${axis}` : `value_${axis}`];
      if (kind === "low") all.push((at) => values[at] >= limit);
      if (kind === "high") all.push((at) => values[at] <= limit);
      if (kind === "level") all.push((at) => values[at] === limit);
    }
    if (chosen) all.push((at) => chosen.has(at));
    return all;
  }

  function apply() {
    const all = tests();
    const booleans = Array.from({ length: total }, (_, at) => all.every((test) => test(at)));
    const count = booleans.filter(Boolean).length;
    let left = lines;
    view.filter = new Filter({ booleans });
    best.filter = new Filter({ booleans: booleans.map((shown) => shown && left-- > 0) });
    document.getElementById("count").textContent =
      count === total ? `all ${total} candidates` : `${count} of ${total} candidates`;
  }

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 150);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    chosen = null;
    source.selected.indices = [];
    setTimeout(apply);
  });
  document.getElementById("chosen").addEventListener("click", () => {
    chosen = source.selected.indices.length ? new Set(source.selected.indices) : null;
    apply();
  });

  // Colours of the plots, which are drawn on canvases

  const dark = matchMedia("(prefers-color-scheme: dark)");

  function paint() {
    const style = getComputedStyle(document.documentElement);
    const [paper, ink, muted, line] = ["--paper", "--ink", "--muted", "--line"].map((name) =>
      style.getPropertyValue(name).trim(),
    );
    for (const model of page.all_models) {
      if (model.type === "Figure") {
        model.setv({
          background_fill_color: paper, border_fill_color: paper, outline_line_color: line,
        });
      } else if (/Axis$/.test(model.type)) {
        model.setv({
          axis_label_text_color: ink, major_label_text_color: muted, axis_line_color: line,
          major_tick_line_color: line, minor_tick_line_color: null,
        });
      } else if (model.type === "Grid") {
        model.setv({ grid_line_color: line, grid_line_alpha: 0.5 });
      } else if (model.type === "ColorBar") {
        model.setv({ background_fill_color: paper, major_label_text_color: muted });
      } else if (model.type === "Text") {
        model.setv({ text_color: { value: ink }, background_fill_color: { value: paper } });
      }
    }
  }

  paint();
  dark.addEventListener("change", paint);

  // The plots, one by one, so that the page can be read and used after the first

  const placeOf = (model) => document.getElementById(content.places[model.id]);
  for (const model of plots) placeOf(model).style.minHeight = `${model.height}px`;
  for (const model of plots) {
    const view = await views.build_view(model);
    view.build(placeOf(model));
    Bokeh.index.add(view);
    await new Promise((resolve) => setTimeout(resolve));
    document.documentElement.dataset.ready ??= "first";
  }
  document.documentElement.dataset.ready = "all";
})();
