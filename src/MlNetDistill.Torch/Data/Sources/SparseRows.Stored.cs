namespace MlNetDistill.Data;

/// <content>Reads elements without the zeros between them.</content>
internal sealed partial class SparseRows
{
    public void ReadStored(long position, StoredElements read) => _features.ReadStored(position, read);
}
