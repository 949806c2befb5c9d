namespace MlNetDistill.Views;

/// <summary>Copies the features of rows into a batch.</summary>
internal abstract class FeatureReader
{
    /// <summary>Reads the current row.</summary>
    /// <param name="row">The place in the batch.</param>
    /// <param name="position">The row's number in the view, for messages.</param>
    public abstract void Read(int row, long position);
}
