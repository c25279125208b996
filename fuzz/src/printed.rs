//! Properties of text that people and CI runners read, written apart from the escapes: the two are each other's check.

/// Panics where a character could act or deceive. `\n` is allowed.
pub fn assert_harmless(text: &str) {
    for c in text.chars() {
        let acts = c.is_control() && c != '\n';
        let hides = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e01ef}');
        assert!(!acts && !hides, "{c:?} in {text:?}");
    }
}

/// Panics where a CI runner would find a command in text that is printed raw.
pub fn assert_no_command(text: &str) {
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "a command: {line:?}");
    }
    assert!(!text.contains("##["), "a command in {text:?}");
    assert!(!text.contains("##vso["), "a command in {text:?}");
}

/// Both, for one line.
pub fn assert_one_safe_line(text: &str) {
    assert!(!text.contains('\n'), "a line end in {text:?}");
    assert_harmless(text);
    assert_no_command(text);
}
