internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Reads what libvirt's libxl driver writes before a libxl stream: a header of 64 bytes and the domain's XML
/// (libvirt's `libxl_conf.h`).
enum LibvirtHeader {
  static func read(_ reader: StreamReader) throws(CheckpointError) {
    let input = reader.input
    let header = try input.read(XenStream.libvirtHeaderSize, "libvirt header")
    guard header.starts(with: XenStream.libvirtMagic) else {
      throw reader.damaged("not a libvirt save file", "libvirt header", at: 0)
    }
    let version = header.u32(16)
    guard version != 1 else {
      throw reader.unsupported(
        "a legacy stream of Xen 4.5 or older: convert it with Xen's convert-legacy-stream",
        "libvirt header", at: 16)
    }
    guard version == 2 else {
      throw reader.unsupported("version \(version)", "libvirt header", at: 16)
    }
    let length = Int(header.u32(20))
    try reader.check(
      UInt64(length), atMost: XenStream.maximumOptionalData, "libvirt header", at: 20)
    let xml = try input.read(length, "domain XML")
    reader.append(.streamHeader, .epoch, XenStream.Header.libvirt.rawValue, header)
    reader.append(.libvirt, .sticky, XenStream.LibvirtPart.domainXML.rawValue, xml)
    if let name = firstElement("name", in: xml) { reader.fields.append(("domain.name", name)) }
    reader.facts.guestID = firstElement("uuid", in: xml)
  }

  /// The text of the first element with this name, if it is plain text. The domain's name and UUID come first
  /// in libvirt's XML.
  private static func firstElement(_ name: String, in xml: [UInt8]) -> String? {
    let start = Array("<\(name)>".utf8)
    guard let begin = xml.prefix(4096).firstRange(of: start)?.upperBound,
      let end = xml[begin...].prefix(1024).firstIndex(of: UInt8(ascii: "<"))
    else { return nil }
    return String(validating: xml[begin..<end], as: UTF8.self)
  }
}
