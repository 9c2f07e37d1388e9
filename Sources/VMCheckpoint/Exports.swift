// What clients need of the layers below: errors, digests, page states, and the protocols of storage. Everything else
// there is of the package alone.
@_exported public import CheckpointChain
@_exported public import CheckpointImage
@_exported public import Storage
