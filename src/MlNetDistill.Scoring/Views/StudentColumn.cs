namespace MlNetDistill.Views;

/// <summary>A column that a student adds.</summary>
internal enum StudentColumn
{
    Embedding,
    Score,
    PredictedLabel,
}
