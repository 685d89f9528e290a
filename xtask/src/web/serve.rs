//! A web server for the site, on this machine only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Component, Path, PathBuf};

use oxhttp::Server;
use oxhttp::model::{Body, Method, Request, Response, StatusCode};

/// The headers of every answer. They isolate the page from others, without which browsers give it
/// coarse clocks and no shared memory.
const HEADERS: [(&str, &str); 2] = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
];

/// Serves the site at `port` (0: any that is free) on threads of its own, as long as the program
/// runs, and gives the address. Browsers open connections in reserve and keep them: each has a thread
/// of its own, so that none waits for another.
///
/// # Errors
/// When the port is taken.
pub fn serve(site: PathBuf, port: u16) -> Result<SocketAddr, String> {
    let taken = |error| format!("port {port}: {error}; choose another: cargo xtask serve PORT");
    // The server does not tell which port it was given.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map_err(taken)?;
    Server::new(move |request| answer(&site, request)).bind(address).spawn().map_err(taken)?;
    Ok(address)
}

fn answer(site: &Path, request: &Request<Body>) -> Response<Body> {
    let answer = |status, headers: &[(&'static str, &'static str)], body| {
        let mut response = Response::builder().status(status);
        for (name, value) in HEADERS.iter().chain(headers) {
            response = response.header(*name, *value);
        }
        response.body(body).expect("names and values of headers are constants")
    };
    if request.method() != Method::GET {
        return answer(StatusCode::METHOD_NOT_ALLOWED, &[("Allow", "GET")], Body::empty());
    }
    let found = file_of(request.uri().path())
        .and_then(|file| Some((std::fs::read(site.join(&file)).ok()?, mime(&file))));
    let Some((bytes, mime)) = found else {
        return answer(StatusCode::NOT_FOUND, &[], Body::empty());
    };
    let headers = [("Content-Type", mime), ("Cache-Control", keeping(request.uri().query()))];
    answer(StatusCode::OK, &headers, Body::from(bytes))
}

/// The file that a URL's path means, from the site's folder; none outside of it.
fn file_of(path: &str) -> Option<PathBuf> {
    let path = path.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| path.to_owned())
}

/// How long browsers may keep an answer: what is asked for by its version for ever, and with it the
/// machine code that they have made of it; the page that names the versions not at all.
fn keeping(query: Option<&str>) -> &'static str {
    if query.is_some_and(|query| query.starts_with("v=")) {
        "max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_files_of_the_site_are_served() {
        assert_eq!(file_of("/"), Some("index.html".into()));
        assert_eq!(file_of("/page.js"), Some("page.js".into()));
        assert_eq!(file_of("/../Cargo.toml"), None);
        assert_eq!(file_of("//etc/passwd"), Some("etc/passwd".into()));
    }

    #[test]
    fn a_file_comes_with_its_type_and_a_missing_one_does_not_come() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/page");
        let address = serve(folder, 0).expect("a free port");
        let ask = |line: &str| {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            write!(stream, "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .expect("sends");
            let mut text = String::new();
            stream.read_to_string(&mut text).expect("an answer");
            text
        };
        let page = ask("GET /page.js");
        assert!(page.contains(" 200 "), "{page}");
        assert!(page.contains("content-type: text/javascript\r\n"), "{page}");
        assert!(page.contains("cross-origin-opener-policy: same-origin\r\n"), "{page}");
        assert!(page.contains("cache-control: no-cache\r\n"), "{page}");
        let versioned = ask("GET /page.js?v=1");
        assert!(
            versioned.contains("cache-control: max-age=31536000, immutable\r\n"),
            "{versioned}"
        );
        assert!(ask("GET /nothing.js").contains(" 404 "));
        assert!(ask("POST /page.js").contains(" 405 "));
    }

    #[test]
    fn connections_that_stay_open_keep_no_other_waiting() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/page");
        let address = serve(folder, 0).expect("a free port");
        // As browsers do: several at once, some of them in reserve, all of them kept.
        let mut streams: Vec<TcpStream> =
            (0..64).map(|_| TcpStream::connect(address).expect("the server listens")).collect();
        for stream in streams.iter_mut().step_by(2) {
            write!(stream, "GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sends");
        }
        for (k, stream) in streams.iter_mut().enumerate().step_by(2) {
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            let mut begin = [0; 12];
            stream.read_exact(&mut begin).unwrap_or_else(|error| panic!("connection {k}: {error}"));
            assert_eq!(&begin, b"HTTP/1.1 200");
        }
    }
}
