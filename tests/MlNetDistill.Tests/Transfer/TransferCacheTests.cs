using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

/// <summary>The teacher's answers for transfer rows that are kept in a folder.</summary>
public sealed class TransferCacheTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Kept_answers_of_folds_are_used_again_for_the_same_transfer_rows_and_no_others()
    {
        using var folder = new ToyFolder();
        var log = new RowsLog(_context);
        var view = _context.Keyed(Rows.Points(60));
        var options = Options(TransferRows.Munge(2)) with
        {
            Teacher = Teacher.FromEstimator(_context.Regression(), folds: 2, cacheKey: "regression"),
            ValidationFraction = 0.2,
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path },
            Epochs = 2,
        };
        var first = Fit(options, 2);
        Assert.Multiple(() =>
        {
            Assert.That(Fit(options, 0), Is.EqualTo(first));
            Fit(options with { Seed = 12 }, 2);
            Fit(options with { TransferRows = TransferRows.Munge(2, 0.4) }, 2);
            Fit(options with { TransferRows = null }, 2);
            Fit(options with { TransferRows = TransferRows.Munge(2) with { Weight = 0.5 } }, 0);
        });

        float[][] Fit(DistillationOptions settings, int fitted)
        {
            var before = log.Lines.Count(IsFit);
            var scores = _context.Fit(settings, view).Scores(view);
            Assert.That(log.Lines.Count(IsFit) - before, Is.EqualTo(fitted), settings.TransferRows?.ToString());
            return scores;
        }

        static bool IsFit(string line) => line.StartsWith("Fitting the teacher on fold", StringComparison.Ordinal);
    }

    [Test]
    public void A_name_for_the_data_does_not_hide_that_the_teachers_own_column_differs()
    {
        using var folder = new ToyFolder();
        var rows = Rows.Points(60);
        var view = _context.Keyed(rows.Select(p => new RawRow { Label = p.Label, Features = p.Features, Extra = [p.Features[2], p.Features[3]] }));
        var asked = 0;
        var mapping = _context.Transforms.CustomMapping<ExtraOnly, Answer>((row, answer) =>
        {
            Interlocked.Increment(ref asked);
            answer.Score = RowsTeachers.Rule([0, 0, row.Extra[0], row.Extra[1]]);
        }, null);
        DistillationOptions With(float shift) => Options(TransferRows.From(_context.Data.LoadFromEnumerable(
            Rows.Points(100, seed: 4).Select(p => new RawRow { Features = p.Features, Extra = [p.Features[2] + shift, p.Features[3]] }).ToArray()))) with
        {
            Teacher = Teacher.FromEstimator(mapping, classNames: Rows.Classes, cacheKey: "rule"),
            MinimumTeacherAccuracy = 0,
            Epochs = 1,
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path, CacheKey = "points" },
        };
        Assert.Multiple(() =>
        {
            Assert.That(Asked(With(0)), Is.GreaterThanOrEqualTo(160));
            Assert.That(Asked(With(0)), Is.Zero);
            Assert.That(Asked(With(5)), Is.GreaterThanOrEqualTo(160));
        });

        int Asked(DistillationOptions settings)
        {
            asked = 0;
            _context.Fit(settings, view);
            return asked;
        }
    }

    private DistillationOptions Options(TransferRows transfer) => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with { TransferRows = transfer, MinimumTeacherAccuracy = 0 };

    private sealed class ExtraOnly
    {
        [VectorType(2)]
        public float[] Extra { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
