internal import CArchive
internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The compressions in which sources may be.
enum Compression: String, CaseIterable {
  case gzip
  case xz
  case zstd
  case lz4
  case bzip2

  /// The magic numbers.
  private var magics: [[UInt8]] {
    switch self {
    case .gzip: [[0x1f, 0x8b, 0x08]]
    case .xz: [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]]
    case .zstd: [[0x28, 0xb5, 0x2f, 0xfd]]
    // The second one belongs to an older format, which Linux uses for kernels.
    case .lz4: [[0x04, 0x22, 0x4d, 0x18], [0x02, 0x21, 0x4c, 0x18]]
    case .bzip2: [Array("BZh".utf8)]
    }
  }

  /// Endings of file names; the short forms stand for a compressed tar.
  private var endings: [(ending: String, replacement: String)] {
    switch self {
    case .gzip: [(".gz", ""), (".tgz", ".tar")]
    case .xz: [(".xz", ""), (".txz", ".tar")]
    case .zstd: [(".zst", ""), (".zstd", ""), (".tzst", ".tar")]
    case .lz4: [(".lz4", ""), (".tlz4", ".tar")]
    case .bzip2: [(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar")]
    }
  }

  /// An expander for `input`; `structure` is its name in messages.
  func expander(of input: InputStream, _ structure: String) throws(CheckpointError) -> any Expander
  {
    func library(_ filter: Int32) throws(CheckpointError) -> any Expander {
      try ArchiveReader(input, filter: filter, structure)
    }
    switch self {
    // libarchive does not check the checksums of gzip, and rejects zstd with a large window.
    case .gzip: return try GzipExpander(input)
    case .zstd: return try ZstdExpander(input)
    case .xz: return try library(ARCHIVE_FILTER_XZ)
    case .lz4: return try library(ARCHIVE_FILTER_LZ4)
    case .bzip2: return try library(ARCHIVE_FILTER_BZIP2)
    }
  }

  /// The compression of bytes that begin with `start`; nil if it is none.
  init?(start: [UInt8]) {
    let found = Self.allCases.first { $0.magics.contains { start.starts(with: $0) } }
    guard let found else { return nil }
    self = found
  }

  /// The compression that the ending of a file name indicates.
  init?(named name: String) {
    let found = Self.allCases.first { $0.strippedName(name) != nil }
    guard let found else { return nil }
    self = found
  }

  /// The name of the contents of a file with that name; nil if it does not indicate this compression.
  func strippedName(_ name: String) -> String? {
    let lowercased = name.lowercased()
    let found = endings.first { lowercased.hasSuffix($0.ending) }
    return found.map { name.dropLast($0.ending.count) + $0.replacement }
  }
}
