using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class MissingFeatureTests
{
    private static readonly DistillationOptions Dropping = Rows.Quick() with { MissingFeatures = MissingFeatures.Drop };

    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();

    [OneTimeSetUp]
    public void SpoilSomeRows()
    {
        foreach (var i in new[] { 5, 60, 61, 200 })
            _rows[i].Features[i % 4] = i == 60 ? float.NegativeInfinity : float.NaN;
    }

    [Test]
    public void Drop_gives_the_student_that_never_saw_the_spoilt_rows()
    {
        var whole = _context.Keyed(_rows.Where(r => r.Features.All(float.IsFinite)));
        Assert.That(_context.Fit(Dropping, _context.Keyed(_rows)).Scores(whole), Is.EqualTo(_context.Fit(Dropping, whole).Scores(whole)));
    }

    [Test]
    public void Drop_says_in_the_log_how_many_rows_it_left_out()
    {
        var log = new RowsLog(_context);
        _context.Fit(Dropping with { Epochs = 1 }, _context.Keyed(_rows));
        Assert.That(log.Warnings, Has.One.EqualTo("Left out of the training data: 4 rows with NaN or infinite features, 0 without a label."));
    }

    [Test]
    public void A_teacher_without_scores_for_the_dropped_rows_was_refused_although_nobody_asked_it_about_them()
    {
        var view = _context.Keyed(_rows);
        var teacher = _context.Regression().Fit(_context.Keyed(Rows.Points()));
        Assert.That(teacher.Scores(view)[5], Has.Some.NaN);
        Assert.That(() => _context.Fit(Dropping with { Teacher = Teacher.FromTransformer(teacher), Method = DistillationMethod.Kd() }, view), Throws.Nothing);
    }
}
