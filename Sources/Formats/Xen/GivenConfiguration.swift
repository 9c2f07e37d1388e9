internal import CheckpointCodec
package import CheckpointImage
package import Storage

/// A domain configuration that replaces the one in an `xl save` file: libxl's JSON, or the text of an xl.cfg
/// file.
package struct GivenConfiguration: Sendable {
  /// The contents of the file.
  package let bytes: [UInt8]
  /// The guest type: `pv`, `pvh` or `hvm`; xl assumes `pv` where a text does not state it.
  let type: String?
  /// The name of the file, for messages.
  package let file: String
  /// Whether it is libxl's JSON.
  package let isJSON: Bool

  /// Reads a file; `-` is standard input. Throws `.refused` if xl could not read it.
  package init(_ path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError)
  {
    let input = try InputStream(path, cancellation: cancellation)
    var bytes: [UInt8] = []
    while try !input.isAtEnd() {
      let part = try input.peek(1 << 12)
      bytes += try input.read(part.count, "configuration")
      guard bytes.count <= XenStream.maximumOptionalData else {
        throw CheckpointError(
          .refused,
          "is not a domain configuration: more than \(XenStream.maximumOptionalData) bytes",
          file: input.name)
      }
    }
    try self.init(bytes, file: input.name)
  }

  package init(_ bytes: [UInt8], file: String) throws(CheckpointError) {
    self.bytes = bytes
    self.file = file
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, "is not a domain configuration: \(reason)", file: file)
    }
    let text = bytes.last == 0 ? bytes.dropLast() : bytes[...]
    guard let text = String(validating: text, as: UTF8.self),
      !text.unicodeScalars.contains(where: {
        $0.value < 32 && !"\t\n\r".unicodeScalars.contains($0)
      })
    else { throw refused("it is not text") }
    if let first = text.first(where: { !$0.isWhitespace }), first == "{" || first == "[" {
      guard let info = DomainConfiguration.read(bytes) else {
        throw refused(
          "it is not libxl's JSON, an object with \"c_info\" (of what xl list -l prints, that is the "
            + "object under \"config\")")
      }
      type = info.type
      isJSON = true
      return
    }
    isJSON = false
    let settings = text.split(whereSeparator: \.isNewline).compactMap {
      $0.wholeMatch(of: /\s*(name|type|builder)\s*=\s*["']([^"']*)["'].*/)
    }
    func value(_ key: String) -> String? {
      settings.last { $0.output.1 == key }.map { String($0.output.2) }
    }
    guard value("name") != nil else {
      throw refused("it is neither libxl's JSON nor an xl.cfg file, which has a line name = \"…\"")
    }
    type = value("type") ?? (value("builder") == "hvm" ? "hvm" : "pv")
  }

  /// Throws `.mismatch` if it is for another guest type than that in a libxc domain header.
  package func check(_ guest: XenStream.GuestType) throws(CheckpointError) {
    guard let type, (type == "pv") != (guest == .pv) else { return }
    throw CheckpointError(
      .mismatch,
      "is the configuration of a \(type) guest, the image's is \(guest == .pv ? "PV" : "HVM or PVH")",
      file: file)
  }
}
