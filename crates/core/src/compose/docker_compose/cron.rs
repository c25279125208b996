//! Tables of cron: a line has the times, for some programs a user, and a command that a shell executes.

/// The commands of a text that may be a table of cron. `has_users`: a user stands before the command.
pub(super) fn commands_of_table(text: &str, has_users: bool) -> Vec<String> {
    let mut commands = Vec::new();
    for line in text.lines() {
        let Some(command) = behind_times(line) else {
            continue;
        };
        let command = match command.split_once([' ', '\t']) {
            Some((user, rest)) if has_users || user == "root" => rest,
            _ => command,
        };
        // `%` ends the command, and what stands behind is its input.
        commands.push(command.replace("\\%", "").replace('%', "\n"));
    }
    commands
}

/// Whether a table at a path has users.
pub(super) fn has_users(path: &str) -> bool {
    path.contains("/cron.d/") || path == "/etc/crontab"
}

/// What stands behind `@daily`, or behind five times and more: programs have seconds and years as well.
fn behind_times(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    if line.starts_with('@') {
        let (when, command) = line.split_once([' ', '\t'])?;
        let command = command.trim_start();
        // `@every 5m app`
        return match when {
            "@every" => command
                .split_once([' ', '\t'])
                .map(|(_, command)| command.trim_start()),
            _ => Some(command),
        };
    }
    let mut rest = line;
    let mut times = 0;
    while times < 7
        && let Some((first, behind)) = rest.split_once([' ', '\t'])
        && is_time(first)
    {
        rest = behind.trim_start();
        times += 1;
    }
    (times >= 5).then_some(rest)
}

/// `*/5`, `1-5`, `MON,FRI`, `0`.
fn is_time(word: &str) -> bool {
    const NAMES: [&str; 19] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue",
        "wed", "thu", "fri", "sat", "sun",
    ];
    let word = word.to_ascii_lowercase();
    let is_part = |part: &str| {
        part.is_empty()
            || NAMES.contains(&part)
            || part
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '*' | '?' | 'l' | 'w' | '#' | 'h' | '~'))
    };
    !word.is_empty() && word.split(['/', '-', ',']).all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_stands_behind_the_times() {
        for (line, command) in [
            ("0 3 * * * $E", "$E"),
            ("*/5 1-5 * JAN MON-FRI app $E", "app $E"),
            ("*/10 * * * * * $E", "$E"),
            ("@reboot  $E", "$E"),
            ("@every 5m $E", "$E"),
            ("@every 1h30m  app $E", "app $E"),
            ("* * * * * root $E", "$E"),
            ("* * * * * cat%$E", "cat\n$E"),
        ] {
            assert_eq!(commands_of_table(line, false), [command], "{line}");
        }
        assert_eq!(commands_of_table("* * * * * app $E", true), ["$E"]);
        for line in ["# 0 3 * * * x", "a b c d e f", "1 2 3", "app $E", ""] {
            assert_eq!(commands_of_table(line, false), Vec::<String>::new(), "{line}");
        }
    }
}
