using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Support;

/// <summary>Teachers over the columns of <see cref="Point"/>.</summary>
internal static class RowsTeachers
{
    private sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }

    /// <summary>A model that answers whatever the function says; its score column names no classes.</summary>
    public static ITransformer Says(this MLContext context, IDataView view, Func<float[], float[]> score) =>
        context.Transforms.CustomMapping<Seen, Answer>((row, answer) => answer.Score = score(row.Features), null).Fit(view);

    /// <summary>A teacher that answers whatever the function says, class by class in the order of <see cref="Rows.Classes"/>.</summary>
    public static Teacher Saying(this MLContext context, IDataView view, Func<float[], float[]> score, ScoreKind kind = ScoreKind.Auto) =>
        Teacher.FromTransformer(context.Says(view, score), scoreKind: kind, classNames: Rows.Classes);

    /// <summary>A rule that the labels know nothing of: which of the last two features is larger, and by how much.</summary>
    public static float[] Rule(float[] features)
    {
        var side = features[2] - features[3];
        return side < -0.3f ? [0.9f, 0.05f, 0.05f] : side > 0.3f ? [0.05f, 0.9f, 0.05f] : [0.1f, 0.1f, 0.8f];
    }

    public static int RuleClass(Point point)
    {
        var rule = Rule(point.Features);
        return Array.IndexOf(rule, rule.Max());
    }

    /// <summary>ML.NET's own multinomial regression on the labels.</summary>
    public static IEstimator<ITransformer> Regression(this MLContext context) => context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass"));

    /// <summary>One-versus-all boosted trees on the labels.</summary>
    public static IEstimator<ITransformer> Trees(this MLContext context) => context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(context.MulticlassClassification.Trainers.OneVersusAll(
            context.BinaryClassification.Trainers.FastTree("TeacherClass", numberOfLeaves: 8, numberOfTrees: 15, minimumExampleCountPerLeaf: 2), "TeacherClass"));
}
