import CheckpointImage
import Formats
import Storage
import TestSupport
import Testing

@testable import Archives

/// Bytes that come once, as from a pipe, in pieces of any length.
final class PipedBytes: ByteOrigin {
  let name = "pipe"
  let modified: (seconds: Int, nanoseconds: Int)? = nil
  let length: UInt64? = nil
  let fractionDone: Double? = nil
  let containers: [String] = []
  let cancellation = Cancellation()
  /// How many were taken.
  private(set) var taken = 0
  private let bytes: [UInt8]
  private let pieces: [Int]
  private var turn = 0

  /// - Parameter pieces: how long pieces are, again and again.
  init(_ bytes: [UInt8], pieces: [Int] = [.max]) {
    self.bytes = bytes
    self.pieces = pieces
  }

  func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, pieces[turn % pieces.count], bytes.count - taken)
    turn += 1
    unsafe bytes.withUnsafeBytes {
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<taken + count]))
    }
    taken += count
    return count
  }

  func seek(to offset: UInt64) throws(CheckpointError) {
    throw CheckpointError(.refused, "cannot go back in a pipe", file: name)
  }
}

extension InputStream {
  /// The next bytes, as many as there are at once; none at the end.
  func some(_ most: Int) throws(CheckpointError) -> [UInt8] {
    var failure: CheckpointError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
      do throws(CheckpointError) {
        count = unsafe try readSome(into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// All that is left, asked for in portions of different lengths.
  func rest(portions: [Int] = [1 << 16]) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    var turn = 0
    while true {
      let portion = try some(portions[turn % portions.count])
      if portion.isEmpty { return bytes }
      bytes += portion
      turn += 1
    }
  }
}

/// Compresses by the program that gave a compression its name, and packs by those of the archives.
struct Packer {
  static var isThere: Bool {
    Program.areThere("gzip", "xz", "zstd", "lz4", "bzip2", "tar", "cpio", "7z")
  }

  /// Ways in which files of a compression are made.
  static func ways(_ compression: Compression) -> [[String]] {
    switch compression {
    case .gzip: [["-1"], ["-9", "-n"]]
    case .xz: [["-0"], ["-1", "--check=crc32"], ["-1", "--check=sha256", "--block-size=70000"]]
    case .zstd: [["-1"], ["-3", "--no-check"], ["-1", "--long=27"]]
    // The older format has no checksums.
    case .lz4: [["-1"], ["-9", "-BX"], ["-l"]]
    case .bzip2: [["-1"], ["-9"]]
    }
  }

  /// Formats of archives, as the programs know them.
  enum Format: String, CaseIterable, CustomTestStringConvertible {
    case ustar, gnu, pax, newc, odc, zip
    case sevenZip = "7z"

    var testDescription: String { rawValue }

    /// What it is recognised as.
    var archive: ArchiveFormat {
      switch self {
      case .ustar, .gnu, .pax: .tar
      case .newc, .odc: .cpio
      case .zip: .zip
      case .sevenZip: .sevenZip
      }
    }
  }

  let folder: TestFolder

  init() throws { folder = try TestFolder() }

  func compressed(_ bytes: [UInt8], _ compression: Compression, _ way: [String] = ["-1"]) throws
    -> [UInt8]
  {
    try Program.run([compression.rawValue, "-q", "-c"] + way, in: folder, input: bytes)
  }

  /// An archive with members, in their order.
  func packed(_ members: [(name: String, bytes: [UInt8])], _ format: Format) throws -> [UInt8] {
    let names = members.map(\.name)
    for (name, bytes) in members { try folder.write(bytes, as: name) }
    defer { names.forEach(folder.remove) }
    switch format {
    case .ustar, .gnu, .pax:
      return try Program.run(["tar", "--format", format.rawValue, "-cf", "-"] + names, in: folder)
    case .newc, .odc:
      let list = Array(names.joined(separator: "\n").utf8)
      return try Program.run(
        ["cpio", "-o", "--quiet", "-H", format.rawValue], in: folder, input: list)
    case .zip, .sevenZip:
      defer { folder.remove("made") }
      _ = try Program.run(["7z", "a", "-bd", "-t\(format.rawValue)", "made."] + names, in: folder)
      folder.rename("made.", "made")
      return try folder.bytes("made")
    }
  }

  /// A stream of a file with these bytes, in which can be gone back.
  func file(_ bytes: [UInt8]) throws -> InputStream {
    try folder.write(bytes, as: "file")
    return try InputStream(folder.path("file"))
  }
}

extension SplitMix64 {
  /// Some of it repeats, some is noise.
  mutating func contents(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let length = Int.random(in: 1...70_000, using: &self)
      let letter = UInt8.random(in: 0...255, using: &self)
      bytes +=
        Bool.random(using: &self)
        ? self.bytes(min(length, count - bytes.count)) : [UInt8](repeating: letter, count: length)
    }
    return Array(bytes.prefix(count))
  }

  mutating func lengths(_ range: ClosedRange<Int>) -> [Int] {
    (0..<7).map { _ in Int.random(in: range, using: &self) }
  }
}
