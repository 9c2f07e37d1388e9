#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

extension GivenConfiguration {
  /// The configuration as libxl's JSON; xl itself reads the text of an xl.cfg file, which makes no domain.
  func libxlJSON() throws(CheckpointError) -> [UInt8] {
    if isJSON { return bytes }
    let text = try TemporaryFile()
    try text.write(bytes)
    let xl = try XLRun(
      ["create", "--dryrun", "--quiet", "/proc/self/fd/0"], input: text.descriptor)
    if let failure = xl.failure() {
      throw CheckpointError(.refused, "is not a domain configuration: \(failure)", file: file)
    }
    return try xl.printed
  }
}
#endif
