    PolicyKey::new("sample-url-env", ValueShape::Variable)
        .says("The variable that holds the address of a sample, or `none`.")
        .default("`CVM_VERIFY_SAMPLE_URL`")
        .example(r#""CVM_VERIFY_SHOP_SAMPLE""#),
