//! Lists of arguments in which Docker Compose substitutes: `command`, `entrypoint` and health checks.

use serde_json::{Map, Value};

use super::advice::{ExecutionCause, ListForm};
use super::judge::Judge;
use super::place::{item, step};
use super::shell::{ItemUse, ListItem, uses_of_list};
use super::variables::{OpenText, Template};
use super::words::{is_script, split};

/// What stands before the first item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the first item is the program.
    Nothing,
    /// The entrypoint of the image, which is not in the document.
    EntrypointOfImage,
}

/// How many words of lists are judged beside open ones, in one document. In the lists behind that each open item decides code.
const MAX_JUDGED_IN_LISTS: usize = 400_000;

/// A list of arguments, with where its open items stand.
#[derive(Debug, Default)]
pub(super) struct ArgumentList {
    items: Vec<ListItem>,
    /// Position in `items`, path and text.
    open: Vec<(usize, String, String)>,
}

impl OpenText {
    /// Whether something outside sets a part, and the item is one argument whatever that is: no shell that is handed it reads another
    /// variable in it.
    pub(super) fn is_one_argument(&self) -> bool {
        self.is_open && !self.has_dollar
    }
}

impl ArgumentList {
    /// Adds the items of a list, or the words of a text.
    fn extend(&mut self, judge: &Judge<'_>, path: &str, value: &Value) {
        match value {
            Value::String(text) => {
                // What is open in a text is refused where the text stands.
                let words = split(&judge.open(text).text);
                let fixed = |text| ListItem { text, is_open: false };
                self.items.extend(words.into_iter().map(fixed));
            }
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    self.push(judge, &item(path, index), each);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, judge: &Judge<'_>, path: &str, value: &Value) {
        let open = match value {
            Value::String(text) => judge.open(text),
            Value::Bool(_) | Value::Number(_) => OpenText {
                text: value.to_string(),
                ..OpenText::default()
            },
            Value::Null | Value::Array(_) | Value::Object(_) => OpenText::default(),
        };
        let is_open = open.is_one_argument();
        if let (true, Some(text)) = (is_open, value.as_str()) {
            self.open
                .push((self.items.len(), path.to_owned(), text.to_owned()));
        }
        self.items.push(ListItem {
            text: open.text,
            is_open,
        });
    }
}

impl Judge<'_> {
    /// A text with what can be set in it. One that is malformed is named where it stands.
    pub(super) fn open(&self, text: &str) -> OpenText {
        let is_set = |name: &str| self.settable.setter(name).is_some();
        let template =
            Template::read(text).map(|template| template.open(&is_set, &|name| self.settable.value(name)));
        template.unwrap_or_default()
    }

    /// The open items of `entrypoint` and `command`, which are one list.
    pub(super) fn command_line(&mut self, path: &str, container: &Map<String, Value>) {
        let mut list = ArgumentList::default();
        if let Some(entrypoint) = container.get("entrypoint") {
            list.extend(self, &step(path, "entrypoint"), entrypoint);
        }
        // Without words it takes the image's own away: the first words of `command` are the program. A runner that takes it for none has the
        // image's own, so that both count.
        if list
            .items
            .iter()
            .all(|item| item.text.trim().is_empty() && !item.is_open)
        {
            list = ArgumentList::default();
        }
        let before = match list.items.is_empty() {
            true => Before::EntrypointOfImage,
            false => Before::Nothing,
        };
        if let Some(command) = container.get("command") {
            list.extend(self, &step(path, "command"), command);
        }
        self.list(&list, before);
    }

    /// The open items of a list whose first item behind `skip` is the program.
    pub(super) fn open_arguments(&mut self, path: &str, items: &[Value], skip: usize) {
        let mut list = ArgumentList::default();
        for (index, each) in items.iter().enumerate().skip(skip) {
            list.push(self, &item(path, index), each);
        }
        self.list(&list, Before::Nothing);
    }

    fn list(&mut self, list: &ArgumentList, before: Before) {
        if list.open.is_empty() {
            return;
        }
        let is_image = before == Before::EntrypointOfImage;
        let program = list.items.first().map_or("", |item| item.text.as_str());
        // Each open item is judged beside all the others.
        let steps = list.items.len().saturating_mul(list.open.len());
        self.judged_in_lists = self.judged_in_lists.saturating_add(steps);
        let is_too_much = self.judged_in_lists > MAX_JUDGED_IN_LISTS;
        let uses_of = |is_image| match is_too_much {
            true => Vec::new(),
            false => uses_of_list(&list.items, is_image),
        };
        let uses = uses_of(is_image);
        let alone = uses_of(false);
        for (at, path, text) in &list.open {
            let how = uses.get(*at);
            let is_argument = how == Some(&ItemUse::Argument);
            let words = list.items.iter().take(*at).map(|item| item.text.as_str());
            let is_behind_image = is_image && program.starts_with(['-', '+']);
            let cause = match *at {
                0 if is_behind_image => ExecutionCause::EntrypointOfImage,
                0 => ExecutionCause::Program,
                _ if is_too_much => ExecutionCause::Mixed,
                _ if is_script(words) => ExecutionCause::Script,
                _ if is_behind_image || is_image && how != alone.get(*at) => {
                    ExecutionCause::EntrypointOfImage
                }
                _ if how == Some(&ItemUse::NotKnown) => ExecutionCause::NotKnownAsData(program),
                _ if is_image => ExecutionCause::SubcommandOrProgram(program),
                _ => ExecutionCause::ExecutedBy(program),
            };
            let advice = match is_argument {
                true => String::new(),
                false => cause.advice(text),
            };
            match (self.substituted(path, text, &advice), is_argument) {
                (Some(place), true) => self.file.outside.add(place),
                (Some(place), false) => self.file.unmeasured.add(place),
                (None, _) => {}
            }
        }
    }

    /// The words of a text as a list, and whether that would be accepted where the text stands behind the entrypoint of the image.
    pub(super) fn list_form(&self, text: &str) -> ListForm {
        let words = split(text);
        let mut list = ArgumentList::default();
        if words.iter().any(|word| Template::read(word).is_err()) {
            return ListForm::Refused;
        }
        for word in &words {
            list.push(self, "", &Value::String(word.clone()));
        }
        let is_refused = |follows_unknown: bool| {
            let uses = uses_of_list(&list.items, follows_unknown);
            list.items
                .iter()
                .zip(uses)
                .any(|(item, how)| item.text.contains("${") && (!item.is_open || how != ItemUse::Argument))
        };
        let json = || Value::from(words.clone()).to_string();
        match (is_refused(true), is_refused(false)) {
            (false, _) => ListForm::Accepted(json()),
            (true, _) if words.first().is_some_and(|word| word.starts_with('-')) => {
                ListForm::BehindEntrypoint(json())
            }
            (true, false) => ListForm::BehindEntrypoint(json()),
            (true, true) => ListForm::Refused,
        }
    }
}
