using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>A teacher's scores belong to the row that they were given for, in whatever order the rows come.</summary>
public sealed class RowJoinTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_shuffled_view_pairs_each_row_with_its_own_scores() => LearnsTheRule(_context.Data.ShuffleRows(_context.Keyed(Rows.Points()), seed: 4));

    [Test]
    public void A_filtered_view_pairs_each_row_with_its_own_scores() =>
        LearnsTheRule(_context.Data.FilterRowsByColumn(_context.Keyed(Rows.Points(360).Select((p, i) => { p.Weight = i % 3; return p; })), "Weight", 1));

    [Test]
    public void A_cached_view_pairs_each_row_with_its_own_scores() => LearnsTheRule(_context.Data.Cache(_context.Keyed(Rows.Points())));

    [Test]
    public void Rows_dropped_from_the_middle_leave_the_others_with_their_own_scores()
    {
        var rows = Rows.Points();
        for (var i = 0; i < rows.Length; i += 4)
            rows[i].Features[0] = float.NaN;
        var view = _context.Keyed(rows);
        var clean = _context.Keyed(rows.Where(r => !float.IsNaN(r.Features[0])));
        float[][] Fit(IDataView v) => _context.Fit(Options(v) with { MissingFeatures = MissingFeatures.Drop }, v).Scores(clean);
        Assert.That(Fit(view), Is.EqualTo(Fit(clean)));
    }

    [Test]
    public void Out_of_fold_scores_come_back_to_their_own_rows()
    {
        // The folds are scored one after another, so by position nearly every row would get another's scores.
        var view = _context.Keyed(Rows.Points());
        var teacher = Teacher.FromEstimator(_context.Regression(), folds: 3);
        var model = _context.Fit(Rows.Quick(teacher) with { Method = DistillationMethod.Kd(alpha: 1) }, view);
        Assert.That(model.AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.9));
    }

    private void LearnsTheRule(IDataView view)
    {
        var model = _context.Fit(Options(view), view);
        var rule = _context.Says(view, RowsTeachers.Rule).Predictions(_context.Keyed(Rows.Points()));
        Assert.That(Rows.Agreement(model.Predictions(_context.Keyed(Rows.Points())), rule), Is.GreaterThan(0.85));
    }

    private DistillationOptions Options(IDataView view) => Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with
    {
        Method = DistillationMethod.Kd(alpha: 1),
        MinimumTeacherAccuracy = 0,
        Epochs = 15,
    };
}
