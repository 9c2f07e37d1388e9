package import CheckpointImage

/// The description that a Linux kernel gives of itself for readers of its memory: the text of the VMCOREINFO
/// note. The fields are described in the kernel's `Documentation/admin-guide/kdump/vmcoreinfo.rst`.
package struct VMCoreInfo: Sendable {
  /// The kernel reserves one page for the text.
  package static let longest = 4096
  /// The start of the text since Linux 2.6.24.
  static let start = Array("OSRELEASE=".utf8)

  /// The text as it was found.
  package let text: [UInt8]
  /// The part of each line before `=`, and the part after it; the first of several counts.
  private let values: [String: String]

  /// Reads the text, which ends at its first zero byte.
  ///
  /// - Throws: `.refused` if it is not such a text.
  package init(_ bytes: some Sequence<UInt8>) throws(CheckpointError) {
    text = Array(bytes.prefix(Self.longest).prefix { $0 != 0 })
    guard text.starts(with: Self.start) else {
      throw CheckpointError(.refused, "does not begin with OSRELEASE=", structure: "VMCOREINFO")
    }
    var values: [String: String] = [:]
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let sign = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let name = String(decoding: line[..<sign], as: UTF8.self)
      if values[name] == nil { values[name] = String(decoding: line[(sign + 1)...], as: UTF8.self) }
    }
    self.values = values
  }

  /// The value of a line, as text.
  package func value(_ name: String) -> String? { values[name] }

  /// The virtual address of a symbol.
  package func symbol(_ name: String) -> UInt64? { hexadecimal("SYMBOL(\(name))") }

  /// The size of a structure in bytes.
  package func size(_ name: String) -> UInt64? { decimal("SIZE(\(name))") }

  /// The offset of a member in its structure, such as `page._refcount`, in bytes.
  package func offset(_ name: String) -> UInt64? { decimal("OFFSET(\(name))") }

  /// The number of elements of an array.
  package func length(_ name: String) -> UInt64? { decimal("LENGTH(\(name))") }

  /// A constant, or the value of a variable.
  package func number(_ name: String) -> Int64? { values["NUMBER(\(name))"].flatMap { Int64($0) } }

  /// The kernel's release, such as `6.1.0-56-amd64`.
  package var release: String { values["OSRELEASE"] ?? "" }

  /// The size of a page in bytes.
  package var pageSize: UInt64? { decimal("PAGESIZE") }

  /// How far the kernel was moved from its link address.
  package var kernelOffset: UInt64? { hexadecimal("KERNELOFFSET") }

  private func decimal(_ name: String) -> UInt64? { values[name].flatMap { UInt64($0) } }

  private func hexadecimal(_ name: String) -> UInt64? {
    values[name].flatMap { UInt64($0, radix: 16) }
  }
}
