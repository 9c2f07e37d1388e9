internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads and writes what `xl save` writes before a libxl stream: Xen's `xl.h`.
package enum XLHeader {
  private static let isJSON: UInt32 = 1
  private static let isLibxlStream: UInt32 = 2

  /// Reads the header, the domain's configuration and the optional data after it.
  static func read(_ reader: StreamReader) throws(CheckpointError) {
    let input = reader.input
    let header = try input.read(XenStream.xlHeaderSize, "xl header")
    guard header.starts(with: XenStream.xlMagic) else {
      throw reader.damaged("not an xl save file", "xl header", at: 0)
    }
    guard header.u32(32) == 0x0102_0304 else {
      throw reader.unsupported(
        "written by a machine of the other byte order", "xl header", at: 32)
    }
    let flags = header.u32(36)
    guard flags & ~(isJSON | isLibxlStream) == 0 else {
      throw reader.unsupported(
        "mandatory flags \(flags): only 1 and 2 are known", "xl header", at: 36)
    }
    guard flags & isLibxlStream != 0 else {
      throw reader.unsupported(
        "a legacy stream of Xen 4.5 or older: convert it with Xen's convert-legacy-stream",
        "xl header", at: 36)
    }
    let length = Int(header.u32(44))
    guard length <= XenStream.maximumOptionalData else {
      throw reader.damaged(
        "optional data: found \(length) bytes, expected at most \(XenStream.maximumOptionalData)",
        "xl header", at: 44)
    }
    reader.append(.streamHeader, .epoch, XenStream.Header.xl.rawValue, header)
    guard length > 0 else { return }
    guard length >= 4 else {
      throw reader.damaged(
        "optional data: found \(length) bytes, expected 0 or 4", "xl header", at: 44)
    }
    let configLength = Int(try input.read(4, "xl header").u32(0))
    guard configLength <= length - 4 else {
      throw reader.damaged(
        "configuration: found \(configLength) bytes, expected at most \(length - 4)", "xl header",
        at: 48)
    }
    let configuration = try input.read(configLength, "domain configuration")
    reader.append(.xl, .sticky, XenStream.XLPart.configuration.rawValue, configuration)
    if length - 4 > configLength {
      let rest = try input.read(length - 4 - configLength, "xl header")
      reader.append(.xl, .epoch, XenStream.XLPart.optionalData.rawValue, rest)
    }
    if let info = DomainConfiguration.read(configuration) {
      if let name = info.name { reader.fields.append(("domain.name", name)) }
      if let uuid = info.uuid { reader.facts.guestID = uuid }
      if let type = info.type { reader.fields.append(("domain.type", type)) }
    }
  }

  /// A header with this configuration: libxl's JSON, or the text of an xl.cfg file.
  package static func encoded(_ configuration: [UInt8]) -> [UInt8] {
    let space: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
    let isJSON = configuration.first { !space.contains($0) } == UInt8(ascii: "{")
    // libxl's JSON is stored as a C string.
    let needsEnd = isJSON && configuration.last != 0
    let text = configuration + (needsEnd ? [0] : [])
    var writer = WireWriter(capacity: XenStream.xlHeaderSize + 4 + text.count)
    writer.write(XenStream.xlMagic)
    writer.write(UInt32(0x0102_0304))
    writer.write(isLibxlStream | (isJSON ? Self.isJSON : 0))
    writer.write(UInt32(0))
    writer.write(UInt32(text.count + 4))
    writer.write(UInt32(text.count))
    writer.write(text)
    return writer.bytes
  }
}
