using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>What cannot fit into memory is refused before it is allocated, with the bytes needed and those there are.</summary>
public sealed class MemoryTests
{
    private const string There = "are available to this process.";
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public MemoryTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void A_student_that_cannot_fit_is_refused() => Assert.That(
        () => _context.Fit(Rows.Quick() with { Student = NetworkSpec.Mlp(2_000_000_000, 2_000_000_000) }, _view),
        Throws.InvalidOperationException.With.Message.StartsWith(
            "The network MLP 2000000000-2000000000 over vector of 4 with 3 logits needs at least 9,223,372,036,854,775,807 bytes; ").And.Message.Contains(There));

    [Test]
    public void A_teacher_that_cannot_fit_is_refused() => Assert.That(
        () => _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(2_000_000_000, 2_000_000_000))), _view),
        Throws.InvalidOperationException.With.Message.Contains("needs at least").And.Message.Contains(There));

    [Test]
    public void A_batch_that_cannot_fit_is_refused()
    {
        const int Instances = 715_827_882;
        var options = Rows.Quick() with { Student = NetworkSpec.Mlp(4096), BatchSize = 3 * Instances, Sampling = BatchSampling.ClassUniform(Instances) };
        Assert.That(() => _context.Fit(options, _view), Throws.InvalidOperationException.With.Message.StartsWith(
            "A training step of MLP 4096 on 2147483646 rows needs at least 70,").And.Message.EndsWith($"{There} Lower BatchSize, or take a smaller network."));
        Assert.That(() => _context.MulticlassClassification.Trainers.Distill(options).Preflight(_view), Throws.InvalidOperationException);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_batch_size_beyond_all_rows_is_all_rows(bool model)
    {
        var teacher = model ? _context.Saying(_view, RowsTeachers.Rule) : Teacher.Train(NetworkSpec.Mlp(4));
        float[][] Scores(int batchSize) => _context.Fit(Rows.Quick(teacher) with { BatchSize = batchSize, MinimumTeacherAccuracy = 0 }, _view).Scores(_view);
        Assert.That(Scores(int.MaxValue), Is.EqualTo(Scores(240)));
    }
}
