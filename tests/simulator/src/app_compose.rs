//! A default app-compose.json in the form that Phala Cloud writes: sorted keys, no spaces.

use serde_json::json;

/// The docker compose file of the healthy CVM; every image is pinned by digest.
pub const DOCKER_COMPOSE: &str = "\
services:
  web:
    image: ghcr.io/example/web@sha256:5d2f1f9d3c8a7b6e4f0a1b2c3d4e5f60718293a4b5c6d7e8f9010203040506aa
    ports:
      - \"8080:8080\"
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
  worker:
    image: docker.io/example/worker@sha256:9a0b1c2d3e4f5061728394a5b6c7d8e9f0010203040506070809aabbccddeeff
    restart: unless-stopped
";

/// [`DOCKER_COMPOSE`] with another image in it.
pub const SWAPPED_DOCKER_COMPOSE: &str = "\
services:
  web:
    image: ghcr.io/example/web@sha256:0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad
    ports:
      - \"8080:8080\"
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
";

/// app-compose.json around a docker compose file, as text: what the guest hashes.
pub fn app_compose(docker_compose_file: &str) -> String {
    // Keys in alphabetical order, so that the text is the same whether or not serde_json keeps the order of insertion.
    json!({
        "allowed_envs": ["API_KEY"],
        "docker_compose_file": docker_compose_file,
        "features": ["kms", "tproxy-net"],
        "gateway_enabled": true,
        "kms_enabled": true,
        "local_key_provider_enabled": false,
        "manifest_version": 2,
        "name": "",
        "no_instance_id": false,
        "pre_launch_script": "#!/bin/bash\necho \"----------------------------------------------\"\n",
        "public_logs": false,
        "public_sysinfo": false,
        "public_tcbinfo": true,
        "runner": "docker-compose",
        "secure_time": true,
        "storage_fs": "zfs",
        "tproxy_enabled": true,
    })
    .to_string()
}
