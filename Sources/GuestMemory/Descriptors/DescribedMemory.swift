package import CheckpointImage

extension LinuxGuest {
  /// One past the last page that has a descriptor. The kernel does not use what lies beyond, such as firmware
  /// below 4 GiB.
  ///
  /// - Throws: `.refused` if the kernel does not say where its descriptors are.
  package func describedEnd() throws(CheckpointError) -> PFN {
    PFN(try DescriptorArray(of: self, DescriptorLayout(information, nil)).describedEnd)
  }
}
