package import CheckpointImage

/// The numbers of Xen's save formats: `xl.h`, `libxl-migration-stream`, `libxc-migration-stream`; libvirt's
/// `libxl_conf.h`; xenopsd's `suspend_image.ml`.
package enum XenStream {
  package static let xlMagic = Array("Xen saved domain, xl format\n \0 \r".utf8)
  package static let libxlIdent = Array("LibxlFmt".utf8)
  /// The header of a libxl stream: version 2, little-endian. The header itself is big-endian.
  package static let libxlHeader = libxlIdent + [0, 0, 0, 2, 0, 0, 0, 0]
  package static let libxcMarker = [UInt8](repeating: 0xff, count: 8) + Array("XENF".utf8)
  package static let libvirtMagic = Array("libvirt-xml\n \0 \r".utf8)
  package static let xenServerSignature = Array("XenSavedDomv2-\n".utf8)
  package static let oldXenServerSignature = Array("XenSavedDomain\n".utf8)

  package static let xlHeaderSize = 48
  package static let libvirtHeaderSize = 64
  package static let libxlHeaderSize = 16
  package static let imageHeaderSize = 24
  package static let domainHeaderSize = 16

  /// Our limits where Xen has none, in bytes.
  package static let maximumOptionalData = 16 << 20
  package static let maximumXenstoreData = 1 << 20
  package static let maximumEmulatorContext = 64 << 20

  /// The fixed headers, as types of the stream-header namespace (Spec, "Records").
  package enum Header: UInt32 {
    case image = 1
    case domain = 2
    case libxl = 3
    case xl = 4
    case libvirt = 5
    case xenServer = 6

    /// The format that the header belongs to.
    package var part: RecordNamespace {
      switch self {
      case .image, .domain: .libxc
      case .libxl: .libxl
      case .xl: .xl
      case .libvirt: .libvirt
      case .xenServer: .xenServer
      }
    }
  }

  /// The parts after an xl header, as types of the xl namespace (Spec, "Records").
  package enum XLPart: UInt32 {
    case configuration = 1
    case optionalData = 2
  }

  /// The parts after a libvirt header, as types of the libvirt namespace (Spec, "Records").
  package enum LibvirtPart: UInt32 {
    case domainXML = 1
  }

  /// The sections of a XenServer suspend image.
  package enum XenServerSection: UInt32 {
    case metadata = 0x000f
    case libxc = 0x00f0
    case libxl = 0x00f1
    case legacyLibxc = 0x00f2
    case traditionalEmulator = 0x0f00
    case emulator = 0x0f01
    case virtualGPU = 0x0f10
    case uefiVariables = 0x0f11
    case tpm0 = 0x0f12
    case tpm = 0x0f13
    case end = 0xffff
  }

  package enum GuestType: UInt32 {
    case pv = 1
    case hvm = 2
  }

  /// The types of libxl records.
  package enum LibxlType: UInt32 {
    case end = 0
    case libxcContext = 1
    case emulatorXenstoreData = 2
    case emulatorContext = 3
    case checkpointEnd = 4
    case checkpointState = 5
  }

  /// The types of libxc records.
  package enum LibxcType: UInt32 {
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
    package var recordClass: RecordClass {
      switch self {
      case .pvInfo, .cpuidPolicy, .msrPolicy: .fixed
      case .pvP2MFrames: .sticky
      default: .epoch
      }
    }

    /// The guest type whose streams may contain the record; nil if both may.
    package var guest: GuestType? {
      switch self {
      case .pvInfo, .pvP2MFrames, .pvVCPUBasic, .pvVCPUExtended, .pvVCPUXSave, .sharedInfo,
        .pvVCPUMSRs:
        .pv
      case .hvmContext, .hvmParams: .hvm
      default: nil
      }
    }
  }

  /// Readers may ignore records of unknown types that have this bit.
  package static let optionalBit: UInt32 = 0x8000_0000

  /// The first page type in PAGE_DATA that has no contents.
  package static let typeBroken: UInt8 = 0xd
  package static let typeAllocateOnly: UInt8 = 0xe
  package static let typeNone: UInt8 = 0xf
}
