namespace MlNetDistill;

/// <summary>Which rows of a fit its teacher was trained on, as far as is known. It is better on these rows than on new ones.</summary>
internal enum SeenRows
{
    /// <summary>None of those that it is asked for: each is scored by a model that was not fitted on it.</summary>
    None,

    /// <summary>The training rows, and not the held-out ones.</summary>
    Training,

    /// <summary>Unknown: it was trained elsewhere, perhaps on these rows.</summary>
    Unknown,
}
