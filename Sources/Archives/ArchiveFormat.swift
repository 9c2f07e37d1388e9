internal import CArchive

/// The archive formats whose members can be read.
enum ArchiveFormat: String, CaseIterable {
  case tar
  case zip
  case sevenZip = "7z"
  case cpio

  /// The number of first bytes by which archives are recognised.
  static let startLength = 512

  /// The magic numbers and their offsets.
  private var magics: [(offset: Int, bytes: [UInt8])] {
    switch self {
    case .tar: [(257, Array("ustar".utf8))]
    case .zip: [(0, Array("PK\u{3}\u{4}".utf8)), (0, Array("PK\u{5}\u{6}".utf8))]
    case .sevenZip: [(0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])]
    case .cpio: ["070701", "070702", "070707"].map { (0, Array($0.utf8)) }
    }
  }

  /// The format of an archive that begins with `start`; nil for those without a magic number: old tar, binary
  /// cpio.
  init?(start: [UInt8]) {
    let found = Self.allCases.first {
      $0.magics.contains { start.dropFirst($0.offset).starts(with: $0.bytes) }
    }
    guard let found else { return nil }
    self = found
  }

  /// The format that the ending of a file name indicates.
  init?(named name: String) {
    let lowercased = name.lowercased()
    guard let found = Self.allCases.first(where: { lowercased.hasSuffix("." + $0.rawValue) })
    else { return nil }
    self = found
  }

  /// The format with this number in libarchive.
  init?(code: Int32) {
    switch code & ARCHIVE_FORMAT_BASE_MASK {
    case ARCHIVE_FORMAT_TAR: self = .tar
    case ARCHIVE_FORMAT_ZIP: self = .zip
    case ARCHIVE_FORMAT_7ZIP: self = .sevenZip
    case ARCHIVE_FORMAT_CPIO: self = .cpio
    default: return nil
    }
  }
}
