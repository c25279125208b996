    PolicyKey {
        name: "sample-option",
        shape: Shape::Choice(&["yes", "no"]),
        says: "Whether this is a sample.",
        default: "`no`",
        example: r#""yes""#,
        option: Some(Typed {
            flag: "--sample-option",
            value: "SAMPLE_OPTION",
            help: "Whether this is a sample: `no` by default",
            values: &["It is", "It is not"],
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
