/** A text in English and in Russian. `{name}` is a value, `{name:one|other}`, in Russian `{name:one|few|many}`, the form for a number. */
export type Text = readonly [en: string, ru: string];
