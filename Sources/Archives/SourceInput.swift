internal import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// The source that a user named: a file, what a compressed file expands to, or a member of an archive.
///
/// A container is recognised by its first bytes. Plain memory may begin like anything, and the guest
/// chooses with what, so for `FileFormat.raw` it counts only what the name speaks of, or that a member
/// was asked for. Members are read as they come, once: nothing is spooled, and that a second one fits
/// too is found at the end.
package struct SourceInput {
  /// The bytes of the source.
  package let input: InputStream
  /// What the source is.
  package let format: FileFormat

  /// How many containers may lie inside one another.
  private static let maximumDepth = 8

  /// Opens a source.
  ///
  /// - Parameters:
  ///   - name: a file, `FILE:MEMBER`, or `-` for standard input.
  ///   - format: what it is; nil to look at its first bytes.
  package static func open(
    _ name: String, as format: FileFormat?, cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> Self {
    let name = SourceName(name)
    return try source(
      in: InputStream(name.file, cancellation: cancellation), named: name.file, member: name.member,
      as: format)
  }

  /// The stream of Xen's that an input is or expands to; nil if it begins as neither.
  package static func stream(in input: InputStream) throws(CheckpointError)
    -> (input: InputStream, format: XenFormat)?
  {
    let start = try input.peek(ArchiveFormat.startLength)
    guard FormatTable.xenFormat(start) != nil || Compression(start: start) != nil else {
      return nil
    }
    let source = try source(in: input, named: input.name, member: nil, as: nil, depth: 0)
    guard case .xen(let format) = source.format else { return nil }
    return (source.input, format)
  }

  /// The source in `input`, through any containers.
  package static func source(
    in input: InputStream, named name: String, member: String?, as format: FileFormat?,
    depth: Int = 0
  ) throws(CheckpointError) -> Self {
    guard depth <= maximumDepth else {
      throw CheckpointError(
        .refused, "more than \(maximumDepth) containers inside one another", file: input.name)
    }
    let start = try input.peek(ArchiveFormat.startLength)
    if let compression = Compression(start: start),
      format != .raw || member != nil || compression.strippedName(name) != nil
    {
      return try source(
        in: InputStream(ExpandedOrigin(compression, input)),
        named: compression.strippedName(name) ?? name, member: member, as: format,
        depth: depth + 1)
    }
    if member != nil { return try self.member(member, of: input, as: format, depth: depth) }
    if format == .raw {
      if let compression = Compression(named: name) {
        throw CheckpointError(
          .refused,
          "its name speaks of \(compression.rawValue), its first bytes do not; under another name it is "
            + "taken as plain memory", offset: 0, file: input.name)
      }
      guard ArchiveFormat(named: name) == nil else {
        return try self.member(nil, of: input, as: format, depth: depth)
      }
      return SourceInput(input: input, format: .raw)
    }
    do throws(CheckpointError) {
      let found = try FormatTable.recognise(input)
      return SourceInput(input: input, format: format ?? found)
    } catch {
      guard ArchiveFormat(start: start) == nil, ArchiveFormat(named: name) == nil else {
        return try self.member(nil, of: input, as: format, depth: depth)
      }
      // The source itself says what it expected.
      if let format { return SourceInput(input: input, format: format) }
      throw error
    }
  }

  /// The source in a member of the archive in `input`: in the one of a path, or in the only one that fits.
  private static func member(
    _ path: String?, of input: InputStream, as format: FileFormat?, depth: Int
  ) throws(CheckpointError) -> Self {
    if ArchiveFormat(start: try input.peek(ArchiveFormat.startLength)) == .sevenZip,
      input.length == nil
    {
      throw CheckpointError(
        .refused, "a 7z archive can be read from a file only, not from a pipe or another container",
        file: input.name)
    }
    let search = try MemberSearch(path, in: input) { (input, name) throws(CheckpointError) in
      try source(in: input, named: name, member: nil, as: format, depth: depth + 1)
    }
    return try search.source()
  }
}
