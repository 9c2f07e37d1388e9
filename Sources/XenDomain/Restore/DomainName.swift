#if Xen
internal import CheckpointImage

/// The rules for the name of a new domain.
enum DomainName {
  /// Fails if no domain can be called so.
  ///
  /// - Parameters:
  ///   - name: the wanted name, which may come from an image.
  ///   - before: the name that the configuration has.
  static func check(_ name: String?, was before: String?, isClone: Bool, file: String)
    throws(CheckpointError) -> String
  {
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, reason, file: file, hint: .giveName)
    }
    guard let name, !name.isEmpty else {
      throw refused("its configuration has no name")
    }
    // xl takes a number for the domain's id, and makes the name a part of a file's name.
    guard name.utf8.count <= 200, !name.hasPrefix("-"),
      !name.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
      name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f && $0 != "/" })
    else {
      throw refused(
        "\"\(name)\" is no name for a domain: it must not be a number, begin with -, or hold a slash or control characters"
      )
    }
    if isClone && name == before {
      throw refused("a clone needs a name of its own")
    }
    return name
  }
}
#endif
