using Microsoft.ML;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Methods;

/// <summary>Similarities of classes are those of the label's classes, in the label's order.</summary>
public sealed class ClassSimilarityTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Similarities_of_classes_in_another_order_are_refused()
    {
        var view = _context.Keyed(Rows.Points());
        var reversed = _context.Data.LoadFromEnumerable(Rows.Points().Reverse());
        var other = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(reversed).Transform(reversed);
        using var ordered = _context.Fit(Rows.Quick(), view).Model.ToNetwork();
        using var otherwise = _context.Fit(Rows.Quick(), other).Model.ToNetwork();
        var even = new[,] { { 1, 0.5, 0 }, { 0.5, 1, 0 }, { 0, 0, 1 } };
        Assert.Multiple(() =>
        {
            Assert.That(() => Fit(TeacherTargets.ClassSimilarity(ordered)), Throws.Nothing);
            Assert.That(() => Fit(TeacherTargets.ClassSimilarity(even)), Throws.Nothing, "of unknown classes");
            Assert.That(() => Fit(TeacherTargets.ClassSimilarity(even, 0.3, ["ash", "birch", "cedar"])), Throws.Nothing);
            Assert.That(() => Fit(TeacherTargets.ClassSimilarity(otherwise)), Throws.InvalidOperationException.With.Message.EndsWith(
                " are of the classes 'cedar', 'birch', 'ash', in this order; those of the label column are 'ash', 'birch', 'cedar'. " +
                "Give the similarities in the order of the label's keys, or make both label columns by the same fitted MapValueToKey."));
            Assert.That(() => Fit(TeacherTargets.ClassSimilarity(even, 0.3, ["oak", "birch", "cedar"])), Throws.InvalidOperationException.With.Message.Contains("are of the classes 'oak', 'birch', 'cedar', in this order"));
        });

        DistillationTransformer Fit(TeacherTargets targets) => _context.Fit(Rows.Quick() with { Method = DistillationMethod.PartialKd(targets, 1, 0.5), Epochs = 1 }, view);
    }
}
