internal import Glibc

/// What standard output can show.
package enum Terminal {
  /// Whether it is a terminal.
  package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether it shows colours, and nobody said in `NO_COLOR` that they are not wanted.
  package static var hasColors: Bool {
    let kind = variable("TERM") ?? ""
    return isTerminal && !kind.isEmpty && kind != "dumb" && (variable("NO_COLOR") ?? "").isEmpty
  }

  /// Whether it says that it shows every colour.
  package static var hasAllColors: Bool {
    hasColors && ["truecolor", "24bit"].contains(variable("COLORTERM") ?? "")
  }

  /// Characters of a line; 80 if that is not known.
  package static var width: Int {
    var size = winsize()
    let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
    return isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  private static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
