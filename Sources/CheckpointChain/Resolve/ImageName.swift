internal import CheckpointImage

/// File names as hints in images.
package enum ImageName {
  /// The last part of a path, if it is short enough to be recorded.
  package static func last(_ path: String) -> String {
    guard let name = path.split(separator: "/").last, name.utf8.count <= Limits.maximumName else {
      return ""
    }
    return path == "standard input" ? "" : String(name)
  }
}
