    PolicyKey::new("sample-option", ValueShape::Choice(&["yes", "no"]))
        .says("Whether this is a sample.")
        .default("`no`")
        .example(r#""yes""#)
        .option("--sample-option", "SAMPLE_OPTION")
        .values(&["It is", "It is not"]),
