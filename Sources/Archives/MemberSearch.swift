internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// Finds the member of an archive to read, and verifies at its end that no other member matches as well.
///
/// Members are examined as they come, so a pipe can be searched and nothing is read twice.
final class MemberSearch {
  /// The most members that a message names.
  private static let namedMembers = 10

  private let input: InputStream
  private let archive: ArchiveReader
  /// The requested path; nil for the only member that matches.
  private let path: String?
  private let open: (InputStream, String) throws(CheckpointError) -> SourceInput
  /// The files that did not match, and why.
  private var passed: [(path: String, reason: String)] = []

  /// Searches the archive in `input`.
  ///
  /// - Parameters:
  ///   - path: the member; nil for the only one that matches.
  ///   - open: opens the source in a member with this name; an error means that it does not match.
  init(
    _ path: String?, in input: InputStream,
    open: @escaping (InputStream, String) throws(CheckpointError) -> SourceInput
  ) throws(CheckpointError) {
    self.input = input
    self.path = path.map(Self.plain)
    self.open = open
    archive = try ArchiveReader(input)
  }

  /// The source in the member.
  func source() throws(CheckpointError) -> SourceInput {
    while let member = try archive.nextMember() {
      let origin = MemberOrigin(member, of: archive, in: input)
      guard let source = try source(in: member, origin) else { continue }
      origin.atEnd { [self] () throws(CheckpointError) in
        try checkRest(after: member.path)
      }
      return source
    }
    throw nothingFound()
  }

  /// The source in `member`; nil if it does not match.
  private func source(in member: ArchiveReader.Member, _ origin: MemberOrigin)
    throws(CheckpointError) -> SourceInput?
  {
    let isNamed = Self.plain(member.path) == path
    guard member.isFile || isNamed else { return nil }
    do throws(CheckpointError) {
      guard isNamed || path == nil else { throw refused("is another member") }
      guard member.isFile else { throw refused("is a folder or a link, not a file", origin.name) }
      guard !member.isEncrypted else {
        throw refused("is encrypted; extract it with its password first", origin.name)
      }
      return try open(InputStream(origin), member.path)
    } catch {
      if isNamed || error.kind == .io || error.kind == .interrupted { throw error }
      if passed.count <= Self.namedMembers { passed.append((member.path, error.reason)) }
      return nil
    }
  }

  /// Reads the rest of the archive, so that its checksum is verified and other members that match are found.
  private func checkRest(after chosen: String) throws(CheckpointError) {
    var fitting = [chosen]
    while let member = try archive.nextMember() {
      if let path {
        guard Self.plain(member.path) == path else { continue }
        throw refused("holds several members of the name \(path)")
      }
      guard fitting.count <= Self.namedMembers else { continue }
      let other = try source(in: member, MemberOrigin(member, of: archive, in: input))
      if other != nil { fitting.append(member.path) }
    }
    _ = try archive.drain()
    guard fitting.count == 1 else {
      let choices = Self.list(fitting.map { "\(input.name):\($0)" })
      throw refused("several members can be captured; choose one: \(choices)")
    }
  }

  private func nothingFound() -> CheckpointError {
    if let path {
      return refused(
        passed.isEmpty
          ? "holds no files" : "holds no member \(path), but \(Self.list(passed.map(\.path)))")
    }
    let list = Self.list(passed.map { "\($0.path) (\($0.reason))" })
    return refused(
      passed.isEmpty ? "holds no files" : "holds nothing that can be captured: \(list)")
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(namedMembers).joined(separator: ", ") + (names.count > namedMembers ? ", …" : "")
  }

  private func refused(_ reason: String, _ name: String? = nil) -> CheckpointError {
    CheckpointError(.refused, reason, file: name ?? input.name)
  }

  /// The path without a leading `./`, as tar writes it, and without a trailing `/`.
  private static func plain(_ path: String) -> String {
    let path = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
    return String(path.hasSuffix("/") ? path.dropLast() : path)
  }
}
