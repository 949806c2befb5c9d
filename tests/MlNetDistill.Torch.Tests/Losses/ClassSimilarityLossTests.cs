using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class ClassSimilarityLossTests
{
    private static readonly double[,] Similarities = { { 1, 0.5 }, { 0.25, 1 } };

    [TestCase(double.NaN)]
    [TestCase(double.NegativeInfinity)]
    public void A_single_similarity_that_is_no_finite_number_is_refused_as_that(double value) => Assert.That(
        () => TeacherTargets.ClassSimilarity(new[,] { { 1, value }, { 0.5, 1 } }), Throws.ArgumentException.With.Message.StartsWith("A similarity is NaN or infinite."));

    [Test]
    public void Class_names_are_one_for_each_row_and_differ()
    {
        Assert.That(TeacherTargets.ClassSimilarity(Similarities, classNames: ["cat", "dog"]).ClassNames, Is.EqualTo(new[] { "cat", "dog" }));
        Assert.That(TeacherTargets.ClassSimilarity(Similarities).ClassNames, Is.Null);
        Assert.That(
            () => TeacherTargets.ClassSimilarity(Similarities, classNames: ["cat", "cat"]),
            Throws.ArgumentException.With.Message.StartsWith("The class names must be 2 different ones, in the order of the rows; they are 'cat', 'cat'."));
    }

    [Test]
    public void Large_quotients_are_probabilities_too()
    {
        using var scope = NewDisposeScope();
        // 1000 and -1000, whose exponentials are infinite and 0.
        var targets = TeacherTargets.ClassSimilarity(new double[,] { { 1, -1 }, { -1, 1 } }, 0.001);
        Assert.That(Near.Values(targets.LogProbabilities(zeros(2, 2, float64), LossProbe.Labels(0, 1))), Is.EqualTo(new double[] { 0, -2000, -2000, 0 }));
    }

    [Test]
    public void Targets_are_equal_by_matrix_and_temperature()
    {
        var targets = TeacherTargets.ClassSimilarity(Similarities);
        Assert.That(targets.Equals(TeacherTargets.ClassSimilarity((double[,])Similarities.Clone())), Is.True);
        Assert.That(targets.Equals(TeacherTargets.ClassSimilarity(Similarities, 0.5)), Is.False);
        Assert.That(targets.Equals(TeacherTargets.ClassSimilarity(new[,] { { 1, 0.5 }, { 0.5, 1 } })), Is.False);
        Assert.That(targets.Equals(TeacherTargets.Full()), Is.False);
        Assert.That(targets.Equals(null), Is.False);
    }
}
