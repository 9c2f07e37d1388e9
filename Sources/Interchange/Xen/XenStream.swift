internal import CheckpointImage

/// The numbers of Xen's save formats: `xl.h`, `libxl-migration-stream`, `libxc-migration-stream`.
enum XenStream {
  static let xlMagic = Array("Xen saved domain, xl format\n \0 \r".utf8)
  static let libxlIdent = Array("LibxlFmt".utf8)
  static let libxcMarker = [UInt8](repeating: 0xff, count: 8) + Array("XENF".utf8)

  static let xlHeaderSize = 48
  static let libxlHeaderSize = 16
  static let imageHeaderSize = 24
  static let domainHeaderSize = 16

  /// Our limits where Xen has none.
  static let maximumOptionalData = 16 << 20
  static let maximumXenstoreData = 1 << 20
  static let maximumEmulatorContext = 64 << 20

  static func isXL(_ start: [UInt8]) -> Bool { start.starts(with: xlMagic) }
  static func isLibxl(_ start: [UInt8]) -> Bool { start.starts(with: libxlIdent) }
  static func isLibxc(_ start: [UInt8]) -> Bool { start.starts(with: libxcMarker) }

  /// The fixed headers, as types of the stream-header namespace (Spec, "Records").
  enum Header: UInt32 {
    case image = 1
    case domain = 2
    case libxl = 3
    case xl = 4
  }

  /// The parts behind an xl header, as types of the xl namespace (Spec, "Records").
  enum XLPart: UInt32 {
    case configuration = 1
    case optionalData = 2
  }

  enum GuestType: UInt32 {
    case pv = 1
    case hvm = 2
  }

  /// libxl records.
  enum LibxlType: UInt32 {
    case end = 0
    case libxcContext = 1
    case emulatorXenstoreData = 2
    case emulatorContext = 3
    case checkpointEnd = 4
    case checkpointState = 5
  }

  /// libxc records.
  enum LibxcType: UInt32 {
    case end = 0x00
    case pageData = 0x01
    case pvInfo = 0x02
    case pvP2MFrames = 0x03
    case pvVCPUBasic = 0x04
    case pvVCPUExtended = 0x05
    case pvVCPUXSave = 0x06
    case sharedInfo = 0x07
    case tscInfo = 0x08
    case hvmContext = 0x09
    case hvmParams = 0x0a
    case toolstack = 0x0b
    case pvVCPUMSRs = 0x0c
    case verify = 0x0d
    case checkpoint = 0x0e
    case checkpointDirtyPFNList = 0x0f
    case staticDataEnd = 0x10
    case cpuidPolicy = 0x11
    case msrPolicy = 0x12

    /// How the record is carried from an image to its increments.
    var recordClass: RecordClass {
      switch self {
      case .pvInfo, .cpuidPolicy, .msrPolicy: .fixed
      case .pvP2MFrames: .sticky
      default: .epoch
      }
    }

    /// The guest type whose streams may hold the record; nil if both.
    var guest: GuestType? {
      switch self {
      case .pvInfo, .pvP2MFrames, .pvVCPUBasic, .pvVCPUExtended, .pvVCPUXSave, .sharedInfo,
        .pvVCPUMSRs:
        .pv
      case .hvmContext, .hvmParams: .hvm
      default: nil
      }
    }
  }

  /// A record of this bit may be unknown to its reader.
  static let optionalBit: UInt32 = 0x8000_0000

  /// Page types in PAGE_DATA that have no contents.
  static let typeBroken: UInt8 = 0xd
  static let typeAllocateOnly: UInt8 = 0xe
  static let typeNone: UInt8 = 0xf

  /// Which of the nested formats a machine record belongs to: 1 libxc, 2 libxl, 3 xl.
  static func level(_ namespace: RecordNamespace, _ type: UInt32) -> Int {
    switch namespace {
    case .libxc: 1
    case .libxl: 2
    case .xl: 3
    case .streamHeader:
      switch Header(rawValue: type) {
      case .image, .domain: 1
      case .libxl: 2
      case .xl, nil: 3
      }
    }
  }
}
