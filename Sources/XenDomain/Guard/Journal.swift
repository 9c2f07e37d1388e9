#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc

/// A small file that says what was done to a domain and is not undone yet. Who has it open holds the lock of
/// that domain; it outlives a crash, and then says what must be put right.
final class Journal {
  private static let suffix = ".journal"
  /// All of the file is written at once, always with this length.
  private static let size = 256

  let uuid: DomainUUID
  /// What the file says: for a new one nothing.
  private(set) var outstanding: Outstanding = []
  /// How its memory target was changed, if that is outstanding.
  private(set) var target: TargetChange?
  /// The number of the domain that this is about; nil in a new one.
  private(set) var id: UInt32?
  private let file: LockFile

  /// Opens the journal of a domain, or makes one; nil if another process has it.
  init?(_ uuid: DomainUUID) throws(CheckpointError) {
    guard let file = try LockFile(uuid.description + Self.suffix) else { return nil }
    self.uuid = uuid
    self.file = file
    let lines = try file.read(Self.size).split(separator: "\n").map { $0.split(separator: " ") }
    for line in lines {
      if line.first == "domain", line.count == 2 { id = UInt32(line[1]) }
      if line.first == "outstanding" {
        outstanding = Outstanding(names: line.dropFirst().map(String.init))
      }
      if line.first == "target" { target = TargetChange(words: line.dropFirst().map(String.init)) }
    }
  }

  /// Begins anew for the domain of that number, with nothing outstanding.
  func begin(_ id: UInt32) throws(CheckpointError) {
    self.id = id
    try record([], target: nil)
  }

  /// Notes what will be outstanding, before it is done.
  func record(_ new: Outstanding, target: TargetChange?) throws(CheckpointError) {
    let names = new.names.map { " " + $0 }.joined()
    let change = (target?.words ?? []).map { " " + $0 }.joined()
    let text = "domain \(id ?? 0)\noutstanding\(names)\ntarget\(change)\n"
    try file.write(text + String(repeating: "\n", count: Self.size - text.utf8.count))
    outstanding = new
    self.target = target
  }

  /// Takes it away: nothing is outstanding.
  func remove() { file.remove() }

  /// The domains that have a journal.
  static func all() -> [DomainUUID] {
    guard let folder = unsafe opendir(LockFile.folder) else { return [] }
    defer { unsafe closedir(folder) }
    var found: [DomainUUID] = []
    while let entry = unsafe readdir(folder) {
      // SAFETY: readdir's entry is there until the next call, and its name is cut at the NUL.
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasSuffix(suffix), let uuid = DomainUUID(String(name.dropLast(suffix.count)))
      else {
        continue
      }
      found.append(uuid)
    }
    return found
  }
}
#endif
