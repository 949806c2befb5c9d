using Microsoft.ML;
using Microsoft.ML.Transforms.Text;
using MlNetDistill;

namespace TextExample.Training;

/// <summary>The teacher: three linear models over sequences of letters and words, whose probabilities are averaged. Each stores a dictionary.</summary>
internal sealed class TeacherModels(MLContext mlContext, IDataView labelled)
{
    public IReadOnlyList<ITransformer> Members { get; } =
    [
        .. new[] { (Words: 0, Letters: 5), (Words: 1, Letters: 3), (Words: 2, Letters: 4) }.Select(lengths => Fit(mlContext, labelled, lengths.Words, lengths.Letters)),
    ];

    /// <summary>The rows with the class that the last member, which reads words and letters, predicts for each.</summary>
    public IDataView Answer(IDataView rows) => Members[^1].Transform(rows);

    public Teacher Ensemble() => Teacher.Ensemble([.. Members.Select(member => Teacher.FromTransformer(member))]);

    private static ITransformer Fit(MLContext mlContext, IDataView labelled, int words, int letters) =>
        mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(mlContext.Transforms.Text.FeaturizeText(
                "Sequences", new TextFeaturizingEstimator.Options { WordFeatureExtractor = Sequences(words), CharFeatureExtractor = Sequences(letters) }, "Text"))
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class", "Sequences", l1Regularization: 0, l2Regularization: 0.01f))
            .Fit(labelled);

    private static WordBagEstimator.Options? Sequences(int length) => length == 0 ? null : new() { NgramLength = length, UseAllLengths = true };
}
