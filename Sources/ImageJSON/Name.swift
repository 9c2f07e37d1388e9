internal import CheckpointImage

/// Names of the numbers in the specification.
enum Name {
  /// The value with this name among `values`.
  static func value<T>(_ name: String, of values: [T], _ field: String, _ text: (T) -> String)
    throws(CheckpointError) -> T
  {
    guard let value = values.first(where: { text($0) == name }) else {
      throw CheckpointError(
        .refused,
        "\(field): found \"\(name.prefix(40))\", expected one of "
          + values.map(text).joined(separator: ", "))
    }
    return value
  }

  static func state(_ name: String) throws(CheckpointError) -> PageState {
    try value(name, of: PageState.allCases, "State") { "\($0)" }
  }

  static func reason(_ name: String) throws(CheckpointError) -> EvictionReason {
    try value(name, of: EvictionReason.allCases, "Reason") { "\($0)" }
  }

  /// The namespaces with the names used in JSON.
  static func namespace(_ name: String) throws(CheckpointError) -> RecordNamespace {
    let all = (UInt16(1)...255).compactMap(RecordNamespace.init)
    return try value(name, of: all, "Namespace") { "\($0)" }
  }
}
