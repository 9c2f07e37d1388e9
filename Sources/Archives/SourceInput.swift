internal import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage

/// A source named by the user: a file, the expanded contents of one, or a member of an archive.
///
/// Containers are recognised by their first bytes. Plain memory may begin with anything, and the guest decides
/// with what; so for `FileFormat.raw` only the file name counts, or that a member was requested. Members are
/// read once, as they come, without spooling; whether a second one matches is found at the end.
package struct SourceInput {
  /// The bytes of the source.
  package let input: InputStream
  /// What the source is.
  package let format: FileFormat
  /// What it would have been taken for, if it is taken as plain memory and begins like something else.
  package var lookalike: String?

  /// The most containers inside each other.
  private static let maximumDepth = 8

  /// Opens a source.
  ///
  /// - Parameters:
  ///   - name: a file, `FILE:MEMBER`, or `-` for standard input.
  ///   - format: the format; nil to recognise it by its first bytes.
  package static func open(
    _ name: String, as format: FileFormat?, cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> Self {
    let name = SourceName(name)
    return try source(
      in: InputStream(name.file, cancellation: cancellation), named: name.file, member: name.member,
      as: format)
  }

  /// The Xen stream that an input is or expands to; nil if it begins as neither.
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

  /// The source in `input`, inside any containers.
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
          "its name says \(compression.rawValue), but its first bytes do not; under another name it is "
            + "taken as plain memory", offset: 0, file: input.name)
      }
      guard ArchiveFormat(named: name) == nil else {
        return try self.member(nil, of: input, as: format, depth: depth)
      }
      return SourceInput(
        input: input, format: .raw,
        lookalike: FormatTable.kind(try input.peek(FormatTable.startLength)))
    }
    do throws(CheckpointError) {
      let found = try FormatTable.recognise(input)
      return SourceInput(input: input, format: format ?? found)
    } catch {
      // An AFF4 container is a zip archive, but of pieces.
      let isForeign = ArchiveFormat(start: start) == .zip && FormatTable.kind(start) != nil
      guard isForeign || ArchiveFormat(start: start) == nil && ArchiveFormat(named: name) == nil
      else {
        return try self.member(nil, of: input, as: format, depth: depth)
      }
      // The source itself reports what it expected.
      if let format { return SourceInput(input: input, format: format) }
      throw error
    }
  }

  /// The source in a member of the archive in `input`: the member at a path, or the only one that matches.
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
