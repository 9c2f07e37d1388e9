internal import Glibc

/// The abilities of standard output.
package enum Terminal {
  /// Whether it is a terminal.
  package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether it shows colours, and `NO_COLOR` does not forbid them.
  package static var hasColors: Bool {
    let kind = variable("TERM") ?? ""
    return isTerminal && !kind.isEmpty && kind != "dumb" && (variable("NO_COLOR") ?? "").isEmpty
  }

  /// Whether it claims to show 24-bit colours.
  package static var hasAllColors: Bool {
    hasColors && ["truecolor", "24bit"].contains(variable("COLORTERM") ?? "")
  }

  /// Characters per line; 80 if unknown.
  package static var width: Int {
    var size = winsize()
    let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
    return isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  private static func variable(_ name: String) -> String? {
    // SAFETY: the text is copied at once, and nothing here changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
