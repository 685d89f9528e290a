//! A web server for the site, on this machine only.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tiny_http::{Header, Method, Request, Response, Server};

/// The headers of every answer. They isolate the page from others, without which browsers give it
/// coarse clocks and no shared memory.
const HEADERS: [(&str, &str); 2] = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
];

/// How many files are sent at once: as many as a browser asks for at a time.
const WORKERS: usize = 6;

/// Serves the site at `port` (0: any that is free) on threads of its own, as long as the program
/// runs, and gives the address.
///
/// # Errors
/// When the port is taken.
pub fn serve(site: PathBuf, port: u16) -> Result<SocketAddr, String> {
    let server = Server::http(("127.0.0.1", port))
        .map_err(|error| format!("port {port}: {error}; choose another: cargo xtask serve PORT"))?;
    let address = server.server_addr().to_ip().ok_or("the server has no address")?;
    let server = Arc::new(server);
    let site = Arc::new(site);
    for _ in 0..WORKERS {
        let (server, site) = (Arc::clone(&server), Arc::clone(&site));
        std::thread::spawn(move || {
            for request in server.incoming_requests() {
                // A browser that has gone away needs no answer.
                let _ = answer(&site, request);
            }
        });
    }
    Ok(address)
}

fn answer(site: &Path, request: Request) -> std::io::Result<()> {
    let url = request.url().to_owned();
    let file = match request.method() {
        Method::Get | Method::Head => file_of(&url),
        _ => return request.respond(Response::empty(405)),
    };
    let opened = file.and_then(|file| {
        let file = site.join(file);
        Some((File::open(&file).ok()?, mime(&file)))
    });
    let Some((file, mime)) = opened else { return request.respond(Response::empty(404)) };
    let mut response = Response::from_file(file);
    let others = [("Content-Type", mime), ("Cache-Control", keeping(&url))];
    for (name, value) in HEADERS.into_iter().chain(others) {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

/// The file that a URL means, from the site's folder; none outside of it.
fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| path.to_owned())
}

/// How long browsers may keep an answer: what is asked for by its version for ever, and with it the
/// machine code that they have made of it; the page that names the versions not at all.
fn keeping(url: &str) -> &'static str {
    if url.contains("?v=") { "max-age=31536000, immutable" } else { "no-cache" }
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

    use super::*;

    #[test]
    fn only_files_of_the_site_are_served() {
        assert_eq!(file_of("/"), Some("index.html".into()));
        assert_eq!(file_of("/page.js?v=1"), Some("page.js".into()));
        assert_eq!(file_of("/../Cargo.toml"), None);
        assert_eq!(file_of("//etc/passwd"), Some("etc/passwd".into()));
    }

    #[test]
    fn a_file_comes_with_its_type_and_a_missing_one_does_not_come() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/page");
        let address = serve(folder, 0).expect("a free port");
        let ask = |line: &str| {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            write!(stream, "{line} HTTP/1.0\r\n\r\n").expect("sends");
            let mut text = String::new();
            stream.read_to_string(&mut text).expect("an answer");
            text
        };
        let page = ask("GET /page.js");
        assert!(page.contains(" 200 "), "{page}");
        assert!(page.contains("Content-Type: text/javascript\r\n"), "{page}");
        assert!(page.contains("Cross-Origin-Opener-Policy: same-origin\r\n"), "{page}");
        assert!(page.contains("Cache-Control: no-cache\r\n"), "{page}");
        let versioned = ask("GET /page.js?v=1");
        assert!(
            versioned.contains("Cache-Control: max-age=31536000, immutable\r\n"),
            "{versioned}"
        );
        assert!(ask("GET /nothing.js").contains(" 404 "));
        assert!(ask("POST /page.js").contains(" 405 "));
    }
}
